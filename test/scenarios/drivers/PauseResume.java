import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * The one thing of the scenarios that no tool of Apache Kafka's does: a consumer that pauses. Started from its source, with
 * ADDRESS TOPIC PARTITION BEFORE TOTAL QUIET_MS; prints the offsets that it read before the pause, in it, and after.
 */
public class PauseResume {
  public static void main(String[] args) {
    var partition = new TopicPartition(args[1], Integer.parseInt(args[2]));
    int before = Integer.parseInt(args[3]);
    int total = Integer.parseInt(args[4]);
    long quietMs = Long.parseLong(args[5]);
    Map<String, Object> settings =
        Map.of("bootstrap.servers", args[0], "max.poll.records", before, "enable.auto.commit", false);
    var text = new StringDeserializer();
    try (var consumer = new KafkaConsumer<>(settings, text, text)) {
      consumer.assign(List.of(partition));
      consumer.seek(partition, 0);
      System.out.println(take(consumer, before, 20_000));
      consumer.pause(List.of(partition));
      System.out.println(take(consumer, 1, quietMs));
      consumer.resume(List.of(partition));
      System.out.println(take(consumer, total - before, 20_000));
    }
  }

  /** As polls bring them; a poll brings `max.poll.records` at most. */
  private static String take(KafkaConsumer<String, String> consumer, int count, long waitMs) {
    var offsets = new StringJoiner(",", "[", "]");
    long endNanos = System.nanoTime() + waitMs * 1_000_000;
    for (int found = 0; found < count && System.nanoTime() < endNanos;) {
      for (var record : consumer.poll(Duration.ofMillis(100))) {
        offsets.add(Long.toString(record.offset()));
        found++;
      }
    }
    return offsets.toString();
  }
}
