import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Consumers that each follow every partition of one topic, at its end, where nothing comes: BROKER TOPIC CONSUMERS. Says "ready" once
 * each has polled for two seconds with all its positions known; goes on until standard input ends.
 */
public final class IdleConsumers {
  private static final Duration POLL = Duration.ofMillis(500);
  private static final int FIRST_POLLS = 4;

  private static volatile boolean isOver;

  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[2]);
    CountDownLatch following = new CountDownLatch(count);
    for (int i = 0; i < count; i++) {
      Thread thread = new Thread(() -> follow(args[0], args[1], following), "consumer-" + i);
      thread.setUncaughtExceptionHandler((where, why) -> fail(why));
      thread.start();
    }
    following.await();
    System.out.println("ready");
    while (System.in.read() >= 0) {}
    isOver = true;
  }

  private static void follow(String broker, String topic, CountDownLatch following) {
    Map<String, Object> config = Map.of("bootstrap.servers", broker, "enable.auto.commit", "false");
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config, bytes, bytes)) {
      List<TopicPartition> all =
          consumer.partitionsFor(topic).stream().map(it -> new TopicPartition(topic, it.partition())).toList();
      consumer.assign(all);
      consumer.seekToEnd(all);
      all.forEach(consumer::position);
      for (int i = 0; !isOver; i++) {
        if (consumer.poll(POLL).count() > 0) throw new IllegalStateException("a record came");
        if (i == FIRST_POLLS) following.countDown();
      }
    }
  }

  private static void fail(Throwable why) {
    why.printStackTrace();
    System.exit(1);
  }
}
