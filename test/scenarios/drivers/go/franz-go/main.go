// franz-go as scenarios drive it.
package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"logcluster/drivers/driver"
)

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

var acks = map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}

func verbsOf(address string) map[string]driver.Verb {
	return map[string]driver.Verb{
		"version":       func(driver.Wish) (any, error) { return driver.Version("github.com/twmb/franz-go") },
		"produce":       func(wish driver.Wish) (any, error) { return nil, produce(address, wish) },
		"flow":          func(wish driver.Wish) (any, error) { return flow(address, wish) },
		"consume":       func(wish driver.Wish) (any, error) { return consume(address, wish) },
		"pauseResume":   func(wish driver.Wish) (any, error) { return pauseResume(address, wish) },
		"consumeGroup":  func(wish driver.Wish) (any, error) { return consumeGroup(address, wish) },
		"offsetForTime": administer(address, offsetForTime),
		"partitions":    func(wish driver.Wish) (any, error) { return partitions(address, wish) },
		"createTopic": administer(address, func(ctx context.Context, admin *kadm.Client, wish driver.Wish) (any, error) {
			_, err := admin.CreateTopic(ctx, wish.Partitions, -1, entriesOf(wish), wish.Topic)
			return nil, err
		}),
		"growTopic": administer(address, func(ctx context.Context, admin *kadm.Client, wish driver.Wish) (any, error) {
			answers, err := admin.UpdatePartitions(ctx, int(wish.Partitions), wish.Topic)
			if err != nil {
				return nil, err
			}
			return nil, answers.Error()
		}),
		"configureTopic": administer(address, configureTopic),
		"describeTopic":  administer(address, describeTopic),
		"deleteTopic": administer(address, func(ctx context.Context, admin *kadm.Client, wish driver.Wish) (any, error) {
			_, err := admin.DeleteTopic(ctx, wish.Topic)
			return nil, err
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

type act func(ctx context.Context, admin *kadm.Client, wish driver.Wish) (any, error)

func administer(address string, act act) driver.Verb {
	return func(wish driver.Wish) (any, error) {
		client, err := kgo.NewClient(kgo.SeedBrokers(driver.Brokers(address)...))
		if err != nil {
			return nil, err
		}
		defer client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), driver.Patience)
		defer cancel()
		return act(ctx, kadm.NewClient(client), wish)
	}
}

// Where no record is as late it gives the end, with a time of -1. A leader that cannot be reached is not asked again by itself.
func offsetForTime(ctx context.Context, admin *kadm.Client, wish driver.Wish) (any, error) {
	offsets, err := driver.Again(func() (kadm.ListedOffsets, error) {
		return admin.ListOffsetsAfterMilli(ctx, wish.Timestamp, wish.Topic)
	})
	if err != nil {
		return nil, err
	}
	found, _ := offsets.Lookup(wish.Topic, wish.Partition)
	if found.Err == nil && found.Timestamp == -1 {
		return -1, nil
	}
	return found.Offset, found.Err
}

// Its administrator's metadata makes no topic.
func partitions(address string, wish driver.Wish) (any, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(driver.Brokers(address)...))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), driver.Patience)
	defer cancel()
	request := kmsg.NewPtrMetadataRequest()
	request.AllowAutoTopicCreation = true
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &wish.Topic
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	return len(answer.Topics[0].Partitions), kerr.ErrorForCode(answer.Topics[0].ErrorCode)
}

func configureTopic(ctx context.Context, admin *kadm.Client, wish driver.Wish) (any, error) {
	changes := []kadm.AlterConfig{}
	for name, value := range entriesOf(wish) {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: value})
	}
	answers, err := admin.AlterTopicConfigs(ctx, changes, wish.Topic)
	if err != nil {
		return nil, err
	}
	return nil, answers[0].Err
}

func describeTopic(ctx context.Context, admin *kadm.Client, wish driver.Wish) (any, error) {
	answers, err := admin.DescribeTopicConfigs(ctx, wish.Topic)
	if err != nil {
		return nil, err
	}
	described := map[string]string{}
	for _, config := range answers[0].Configs {
		described[config.Key] = config.MaybeValue()
	}
	return described, answers[0].Err
}

// It is idempotent unless told not to be, which it insists on below acks=all.
func produce(address string, wish driver.Wish) error {
	options := []kgo.Opt{
		kgo.SeedBrokers(driver.Brokers(address)...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[wish.Codec]),
		kgo.ProducerBatchMaxBytes(4 << 20),
		kgo.ProducerLinger(100 * time.Millisecond),
		kgo.RequiredAcks(acks[wish.Acks]),
	}
	if wish.Acks != "all" {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	records := make([]*kgo.Record, len(wish.Records))
	for at, one := range wish.Records {
		record := &kgo.Record{
			Topic: wish.Topic, Partition: wish.Partition, Key: driver.Bytes(one.Key), Value: driver.Bytes(one.Value),
		}
		for _, header := range one.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: header[0], Value: []byte(header[1])})
		}
		if one.Timestamp != nil {
			record.Timestamp = time.UnixMilli(*one.Timestamp)
		}
		records[at] = record
	}
	// Its own time-out of delivery counts from a record's timestamp.
	ctx, cancel := context.WithTimeout(context.Background(), driver.Patience)
	defer cancel()
	return client.ProduceSync(ctx, records...).FirstErr()
}

func flow(address string, wish driver.Wish) (any, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(driver.Brokers(address)...),
		kgo.DefaultProduceTopic(wish.Topic),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()),
		kgo.MetadataMaxAge(500*time.Millisecond),
		kgo.MetadataMinAge(100*time.Millisecond),
		kgo.RecordDeliveryTimeout(30*time.Second),
		// By itself it gives up a topic at the fourth answer that there is none.
		kgo.UnknownTopicRetries(-1),
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return driver.Flow(wish, func(value string) error {
		err := client.ProduceSync(context.Background(), kgo.StringRecord(value)).FirstErr()
		if errors.Is(err, kerr.UnknownTopicID) {
			// Made again under its name: it adopts the new topic only when told so.
			client.PurgeTopicsFromProducing(wish.Topic)
		}
		return err
	}), nil
}

func reader(address string, wish driver.Wish, more ...kgo.Opt) (*kgo.Client, error) {
	at := map[int32]kgo.Offset{wish.Partition: kgo.NewOffset().At(wish.Offset)}
	from := kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{wish.Topic: at})
	return kgo.NewClient(append(more, kgo.SeedBrokers(driver.Brokers(address)...), from)...)
}

// The next `count` records, or as many as came in `patience`. What a poll tells of a broker that is away is no end:
// the library tries again by itself, and where it was for nothing the last error is told.
func take(client *kgo.Client, count int, patience time.Duration) ([]*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found := []*kgo.Record{}
	var last error
	for len(found) < count && ctx.Err() == nil {
		fetches := client.PollRecords(ctx, count-len(found))
		found = append(found, fetches.Records()...)
		if err := fetches.Err(); err != nil && ctx.Err() == nil {
			last = err
		}
	}
	return found, last
}

func consume(address string, wish driver.Wish) (any, error) {
	more := []kgo.Opt{}
	if wish.MinBytes > 0 {
		more = append(more, kgo.FetchMinBytes(wish.MinBytes), kgo.FetchMaxWait(driver.MinBytesWait))
	}
	client, err := reader(address, wish, more...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	found, err := take(client, wish.Count, driver.Patience)
	if len(found) < wish.Count {
		return nil, errors.Join(driver.InTime(len(found), wish.Count), err)
	}
	records := make([]driver.Record, len(found))
	for at, one := range found {
		records[at] = driver.Record{
			Offset: one.Offset, Key: driver.Text(one.Key), Value: driver.Text(one.Value),
			Headers: [][2]string{}, Timestamp: driver.Millis(one.Timestamp),
		}
		for _, header := range one.Headers {
			records[at].Headers = append(records[at].Headers, [2]string{header.Key, string(header.Value)})
		}
	}
	return records, nil
}

func pauseResume(address string, wish driver.Wish) (any, error) {
	client, err := reader(address, wish)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	before, err := take(client, wish.Before, driver.Patience)
	if len(before) < wish.Before {
		return nil, errors.Join(driver.InTime(len(before), wish.Before), err)
	}
	at := map[string][]int32{wish.Topic: {wish.Partition}}
	client.PauseFetchPartitions(at)
	during, _ := take(client, 1, time.Duration(wish.QuietMs)*time.Millisecond)
	client.ResumeFetchPartitions(at)
	after, _ := take(client, wish.Total-wish.Before, driver.Patience)
	return driver.Paused{Before: offsetsOf(before), During: offsetsOf(during), After: offsetsOf(after)}, nil
}

func offsetsOf(records []*kgo.Record) []int64 {
	offsets := make([]int64, len(records))
	for at, record := range records {
		offsets[at] = record.Offset
	}
	return offsets
}

func consumeGroup(address string, wish driver.Wish) (any, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(driver.Brokers(address)...),
		kgo.ConsumerGroup(wish.Group),
		kgo.ConsumeTopics(wish.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(6*time.Second),
		kgo.DisableAutoCommit(),
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	found, err := take(client, wish.Count, driver.Patience)
	if len(found) < wish.Count {
		return nil, errors.Join(driver.InTime(len(found), wish.Count), err)
	}
	placed := make([]driver.Placed, len(found))
	for at, one := range found {
		placed[at] = driver.Placed{Partition: one.Partition, Offset: one.Offset}
	}
	return placed, client.CommitRecords(context.Background(), found...)
}

// The partitions of a member; what it is told are changes.
type part struct {
	lock sync.Mutex
	own  []int32
}

func (part *part) change(change func(own []int32) []int32) {
	part.lock.Lock()
	defer part.lock.Unlock()
	part.own = change(part.own)
	slices.Sort(part.own)
	driver.SayAssigned(part.own)
}

func member(wish driver.MemberWish, leaving <-chan struct{}) error {
	part := &part{}
	gone := func(lost []int32) func(own []int32) []int32 {
		return func(own []int32) []int32 {
			return slices.DeleteFunc(own, func(one int32) bool { return slices.Contains(lost, one) })
		}
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(driver.Brokers(wish.Address)...),
		kgo.ClientID(wish.Name),
		kgo.ConsumerGroup(wish.Group),
		kgo.ConsumeTopics(wish.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(wish.Session()),
		kgo.RebalanceTimeout(10 * time.Second),
		kgo.HeartbeatInterval(300 * time.Millisecond),
		kgo.AutoCommitInterval(200 * time.Millisecond),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, given map[string][]int32) {
			part.change(func(own []int32) []int32 { return append(own, given[wish.Topic]...) })
		}),
		kgo.OnPartitionsRevoked(func(ctx context.Context, client *kgo.Client, lost map[string][]int32) {
			_ = client.CommitUncommittedOffsets(ctx)
			part.change(gone(lost[wish.Topic]))
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
			part.change(gone(lost[wish.Topic]))
		}),
	}
	if wish.Instance != "" {
		options = append(options, kgo.InstanceID(wish.Instance), kgo.Balancers(kgo.RangeBalancer()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-leaving
		cancel()
	}()
	for ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(one *kgo.Record) {
			driver.Say(driver.Placed{Partition: one.Partition, Offset: one.Offset})
		})
		client.AllowRebalance()
	}
	err = client.CommitUncommittedOffsets(context.Background())
	client.CloseAllowingRebalance()
	return err
}

func main() { driver.Serve(verbsOf, member) }
