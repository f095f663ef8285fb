// sarama as scenarios drive it; built twice, with the newest and with an old version.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/IBM/sarama"

	"logcluster/drivers/driver"
)

var codecs = map[string]sarama.CompressionCodec{
	"none":   sarama.CompressionNone,
	"gzip":   sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy,
	"lz4":    sarama.CompressionLZ4,
	"zstd":   sarama.CompressionZSTD,
}

var acks = map[string]sarama.RequiredAcks{"0": sarama.NoResponse, "1": sarama.WaitForLocal, "all": sarama.WaitForAll}

// By itself it speaks as to a broker of years ago, which has neither zstd nor static members.
func configOf(clientID string) *sarama.Config {
	config := sarama.NewConfig()
	config.ClientID = clientID
	config.Version = sarama.MaxVersion
	config.Metadata.RefreshFrequency = 500 * time.Millisecond
	config.Producer.Return.Successes = true
	config.Producer.MaxMessageBytes = 4 << 20
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	return config
}

func verbsOf(address string) map[string]driver.Verb {
	brokers := driver.Brokers(address)
	return map[string]driver.Verb{
		"version":       func(driver.Wish) (any, error) { return driver.Version("github.com/IBM/sarama") },
		"produce":       func(wish driver.Wish) (any, error) { return nil, produce(brokers, wish) },
		"flow":          func(wish driver.Wish) (any, error) { return flow(brokers, wish) },
		"consume":       func(wish driver.Wish) (any, error) { return consume(brokers, wish) },
		"offsetForTime": func(wish driver.Wish) (any, error) { return offsetForTime(brokers, wish) },
		"pauseResume":   func(wish driver.Wish) (any, error) { return pauseResume(brokers, wish) },
		"consumeGroup":  func(wish driver.Wish) (any, error) { return consumeGroup(brokers, wish) },
		"partitions":    func(wish driver.Wish) (any, error) { return partitions(brokers, wish) },
		"createTopic": administer(brokers, func(admin sarama.ClusterAdmin, wish driver.Wish) (any, error) {
			detail := &sarama.TopicDetail{NumPartitions: wish.Partitions, ReplicationFactor: -1, ConfigEntries: entriesOf(wish)}
			return nil, admin.CreateTopic(wish.Topic, detail, false)
		}),
		"growTopic": administer(brokers, func(admin sarama.ClusterAdmin, wish driver.Wish) (any, error) {
			return nil, admin.CreatePartitions(wish.Topic, wish.Partitions, nil, false)
		}),
		"configureTopic": administer(brokers, func(admin sarama.ClusterAdmin, wish driver.Wish) (any, error) {
			entries := map[string]sarama.IncrementalAlterConfigsEntry{}
			for name, value := range entriesOf(wish) {
				entries[name] = sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: value}
			}
			return nil, admin.IncrementalAlterConfig(sarama.TopicResource, wish.Topic, entries, false)
		}),
		"describeTopic": administer(brokers, func(admin sarama.ClusterAdmin, wish driver.Wish) (any, error) {
			entries, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: wish.Topic})
			described := map[string]string{}
			for _, entry := range entries {
				described[entry.Name] = entry.Value
			}
			return described, err
		}),
		"deleteTopic": administer(brokers, func(admin sarama.ClusterAdmin, wish driver.Wish) (any, error) {
			return nil, admin.DeleteTopic(wish.Topic)
		}),
	}
}

func entriesOf(wish driver.Wish) map[string]*string {
	entries := map[string]*string{}
	for name, value := range wish.Configs {
		entries[name] = &value
	}
	return entries
}

func administer(brokers []string, act func(sarama.ClusterAdmin, driver.Wish) (any, error)) driver.Verb {
	return func(wish driver.Wish) (any, error) {
		return driver.Again(func() (any, error) {
			admin, err := sarama.NewClusterAdmin(brokers, configOf("scenarios"))
			if err != nil {
				return nil, err
			}
			defer admin.Close()
			return act(admin, wish)
		})
	}
}

func produce(brokers []string, wish driver.Wish) error {
	config := configOf("scenarios")
	config.Producer.RequiredAcks = acks[wish.Acks]
	config.Producer.Compression = codecs[wish.Codec]
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Flush.Messages = len(wish.Records)
	config.Producer.Flush.Frequency = 100 * time.Millisecond
	config.Producer.Retry.Max = 300
	config.Producer.Retry.Backoff = 100 * time.Millisecond
	producer, err := sarama.NewSyncProducer(brokers, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	messages := make([]*sarama.ProducerMessage, len(wish.Records))
	for at, one := range wish.Records {
		messages[at] = messageOf(wish, one)
	}
	return firstOf(producer.SendMessages(messages))
}

func messageOf(wish driver.Wish, one driver.Record) *sarama.ProducerMessage {
	message := &sarama.ProducerMessage{Topic: wish.Topic, Partition: wish.Partition}
	if one.Key != nil {
		message.Key = sarama.StringEncoder(*one.Key)
	}
	if one.Value != nil {
		message.Value = sarama.StringEncoder(*one.Value)
	}
	for _, header := range one.Headers {
		message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(header[0]), Value: []byte(header[1])})
	}
	if one.Timestamp != nil {
		message.Timestamp = time.UnixMilli(*one.Timestamp)
	}
	return message
}

// Of many it says only how many failed.
func firstOf(err error) error {
	if failed, are := err.(sarama.ProducerErrors); are && len(failed) > 0 {
		return failed[0].Err
	}
	return err
}

func flow(brokers []string, wish driver.Wish) (any, error) {
	config := configOf("scenarios")
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewRoundRobinPartitioner
	config.Producer.Retry.Max = 300
	config.Producer.Retry.Backoff = 100 * time.Millisecond
	producer, err := sarama.NewSyncProducer(brokers, config)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	return driver.Flow(wish, func(value string) error {
		for late := time.Now().Add(driver.Patience); ; {
			message := &sarama.ProducerMessage{Topic: wish.Topic, Value: sarama.StringEncoder(value)}
			_, _, err := producer.SendMessage(message)
			// Its retries are of records on their way to a leader. Where no broker tells it who that is it gives up.
			if err == nil || time.Now().After(late) {
				return err
			}
			time.Sleep(100 * time.Millisecond)
		}
	}), nil
}

// What was opened to read one partition.
type reading struct {
	sarama.PartitionConsumer
	consumer sarama.Consumer
}

func read(brokers []string, config *sarama.Config, wish driver.Wish) (*reading, error) {
	return driver.Again(func() (*reading, error) { return open(brokers, config, wish) })
}

func open(brokers []string, config *sarama.Config, wish driver.Wish) (*reading, error) {
	consumer, err := sarama.NewConsumer(brokers, config)
	if err != nil {
		return nil, err
	}
	partition, err := consumer.ConsumePartition(wish.Topic, wish.Partition, wish.Offset)
	if err != nil {
		_ = consumer.Close()
		return nil, err
	}
	return &reading{partition, consumer}, nil
}

func (from *reading) close() {
	from.AsyncClose()
	_ = from.consumer.Close()
}

// The next `count` messages, or as many as came in `patience`.
func (from *reading) take(count int, patience time.Duration) []*sarama.ConsumerMessage {
	found := []*sarama.ConsumerMessage{}
	late := time.After(patience)
	for len(found) < count {
		select {
		case message, open := <-from.Messages():
			if !open {
				return found
			}
			found = append(found, message)
		case <-late:
			return found
		}
	}
	return found
}

func consume(brokers []string, wish driver.Wish) (any, error) {
	config := configOf("scenarios")
	if wish.MinBytes > 0 {
		config.Consumer.Fetch.Min = wish.MinBytes
		config.Consumer.MaxWaitTime = driver.MinBytesWait
		config.Net.ReadTimeout = 2 * driver.MinBytesWait
	}
	from, err := read(brokers, config, wish)
	if err != nil {
		return nil, err
	}
	defer from.close()
	found := from.take(wish.Count, driver.Patience)
	if len(found) < wish.Count {
		return nil, driver.InTime(len(found), wish.Count)
	}
	records := make([]driver.Record, len(found))
	for at, one := range found {
		records[at] = driver.Record{
			Offset: one.Offset, Key: driver.Text(one.Key), Value: driver.Text(one.Value),
			Headers: [][2]string{}, Timestamp: driver.Millis(one.Timestamp),
		}
		for _, header := range one.Headers {
			records[at].Headers = append(records[at].Headers, [2]string{string(header.Key), string(header.Value)})
		}
	}
	return records, nil
}

func offsetForTime(brokers []string, wish driver.Wish) (any, error) {
	return driver.Again(func() (any, error) {
		client, err := sarama.NewClient(brokers, configOf("scenarios"))
		if err != nil {
			return nil, err
		}
		defer client.Close()
		return client.GetOffset(wish.Topic, wish.Partition, wish.Timestamp)
	})
}

func partitions(brokers []string, wish driver.Wish) (any, error) {
	client, err := sarama.NewClient(brokers, configOf("scenarios"))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	found, err := client.Partitions(wish.Topic)
	return len(found), err
}

// A pause holds back the next fetch. What one has brought is the application's already, so that each brings one
// batch here, and the pause begins before the last record of it is taken.
func pauseResume(brokers []string, wish driver.Wish) (any, error) {
	config := configOf("scenarios")
	config.ChannelBufferSize = 0
	config.Consumer.Fetch.Default = 1
	from, err := read(brokers, config, wish)
	if err != nil {
		return nil, err
	}
	defer from.close()
	before := from.take(wish.Before-1, driver.Patience)
	from.Pause()
	before = append(before, from.take(1, driver.Patience)...)
	during := from.take(1, time.Duration(wish.QuietMs)*time.Millisecond)
	from.Resume()
	after := from.take(wish.Total-wish.Before, driver.Patience)
	return driver.Paused{Before: offsetsOf(before), During: offsetsOf(during), After: offsetsOf(after)}, nil
}

func offsetsOf(messages []*sarama.ConsumerMessage) []int64 {
	offsets := make([]int64, len(messages))
	for at, message := range messages {
		offsets[at] = message.Offset
	}
	return offsets
}

func consumeGroup(brokers []string, wish driver.Wish) (any, error) {
	config := configOf("scenarios")
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	group, err := driver.Again(func() (sarama.ConsumerGroup, error) {
		return sarama.NewConsumerGroup(brokers, wish.Group, config)
	})
	if err != nil {
		return nil, err
	}
	defer group.Close()
	ctx, cancel := context.WithTimeout(context.Background(), driver.Patience)
	defer cancel()
	reader := &groupReader{topic: wish.Topic}
	reader.each = func(session sarama.ConsumerGroupSession, message *sarama.ConsumerMessage) {
		if len(reader.found) == wish.Count {
			return
		}
		reader.found = append(reader.found, driver.Placed{Partition: message.Partition, Offset: message.Offset})
		session.MarkMessage(message, "")
		session.Commit()
		if len(reader.found) == wish.Count {
			cancel()
		}
	}
	for ctx.Err() == nil {
		if err = group.Consume(ctx, []string{wish.Topic}, reader); err != nil {
			// Where the coordinator does not answer; applications go on so.
			time.Sleep(driver.Pause)
		}
	}
	if len(reader.found) < wish.Count {
		return nil, errors.Join(driver.InTime(len(reader.found), wish.Count), err)
	}
	return reader.found, nil
}

type groupReader struct {
	topic    string
	found    []driver.Placed
	assigned func(partitions []int32)
	each     func(session sarama.ConsumerGroupSession, message *sarama.ConsumerMessage)
}

func (reader *groupReader) Setup(session sarama.ConsumerGroupSession) error {
	if reader.assigned != nil {
		own := session.Claims()[reader.topic]
		sort.Slice(own, func(a, b int) bool { return own[a] < own[b] })
		reader.assigned(own)
	}
	return nil
}

func (*groupReader) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (reader *groupReader) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open || session.Context().Err() != nil {
				return nil
			}
			reader.each(session, message)
		case <-session.Context().Done():
			return nil
		}
	}
}

func member(wish driver.MemberWish, leaving <-chan struct{}) error {
	config := configOf(wish.Name)
	config.Consumer.Group.InstanceId = wish.Instance
	config.Consumer.Group.Session.Timeout = wish.Session()
	config.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	config.Consumer.Group.Rebalance.Timeout = 10 * time.Second
	config.Consumer.Offsets.AutoCommit.Enable = true
	config.Consumer.Offsets.AutoCommit.Interval = 200 * time.Millisecond
	group, err := sarama.NewConsumerGroup(driver.Brokers(wish.Address), wish.Group, config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-leaving
		cancel()
	}()
	reader := &groupReader{topic: wish.Topic, assigned: driver.SayAssigned}
	reader.each = func(session sarama.ConsumerGroupSession, message *sarama.ConsumerMessage) {
		driver.Say(driver.Placed{Partition: message.Partition, Offset: message.Offset})
		session.MarkMessage(message, "")
	}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{wish.Topic}, reader); err != nil && ctx.Err() == nil {
			// While no broker is there; applications go on so.
			fmt.Println(err)
			time.Sleep(200 * time.Millisecond)
		}
	}
	if err := group.Close(); err != nil {
		// It wants to say so to a coordinator that may be gone; then the session ends by itself.
		fmt.Println(err)
	}
	return nil
}

func main() { driver.Serve(verbsOf, member) }
