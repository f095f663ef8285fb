// kafka-go as scenarios drive it.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"logcluster/drivers/driver"
)

var codecs = map[string]kafka.Compression{
	"none":   0,
	"gzip":   kafka.Gzip,
	"snappy": kafka.Snappy,
	"lz4":    kafka.Lz4,
	"zstd":   kafka.Zstd,
}

var acks = map[string]kafka.RequiredAcks{"0": kafka.RequireNone, "1": kafka.RequireOne, "all": kafka.RequireAll}

func verbsOf(address string) map[string]driver.Verb {
	verbs := adminVerbs(address)
	verbs["version"] = func(driver.Wish) (any, error) { return driver.Version("github.com/segmentio/kafka-go") }
	verbs["produce"] = func(wish driver.Wish) (any, error) { return nil, produce(address, wish) }
	verbs["flow"] = func(wish driver.Wish) (any, error) { return flow(address, wish) }
	verbs["consume"] = func(wish driver.Wish) (any, error) { return consume(address, wish) }
	verbs["consumeGroup"] = func(wish driver.Wish) (any, error) { return consumeGroup(address, wish) }
	verbs["pauseResume"] = func(driver.Wish) (any, error) {
		return nil, driver.Lacks("kafka-go has no pause: an application does not ask its reader for a while")
	}
	return verbs
}

func produce(address string, wish driver.Wish) error {
	writer := &kafka.Writer{
		Addr:         kafka.TCP(driver.Brokers(address)...),
		Topic:        wish.Topic,
		Balancer:     kafka.BalancerFunc(func(kafka.Message, ...int) int { return int(wish.Partition) }),
		BatchSize:    len(wish.Records),
		BatchBytes:   4 << 20,
		BatchTimeout: 100 * time.Millisecond,
		RequiredAcks: acks[wish.Acks],
		Compression:  codecs[wish.Codec],
	}
	patient(writer)
	messages := make([]kafka.Message, len(wish.Records))
	for at, one := range wish.Records {
		messages[at] = kafka.Message{Key: driver.Bytes(one.Key), Value: driver.Bytes(one.Value)}
		for _, header := range one.Headers {
			messages[at].Headers = append(messages[at].Headers, kafka.Header{Key: header[0], Value: []byte(header[1])})
		}
		if one.Timestamp != nil {
			messages[at].Time = time.UnixMilli(*one.Timestamp)
		}
	}
	err := writer.WriteMessages(context.Background(), messages...)
	return firstOf(errors.Join(err, writer.Close()))
}

// Tries a tenth of a second apart, for half a minute: by itself ten times, with metadata that may be 6 s old.
func patient(writer *kafka.Writer) {
	writer.MaxAttempts = 300
	writer.WriteBackoffMin = driver.Pause
	writer.WriteBackoffMax = driver.Pause
	writer.Transport = &kafka.Transport{MetadataTTL: 500 * time.Millisecond}
}

// Of many it says only how many failed.
func firstOf(err error) error {
	var failed kafka.WriteErrors
	if errors.As(err, &failed) {
		for _, one := range failed {
			if one != nil {
				return one
			}
		}
	}
	return err
}

func flow(address string, wish driver.Wish) (any, error) {
	writer := &kafka.Writer{
		Addr:         kafka.TCP(driver.Brokers(address)...),
		Topic:        wish.Topic,
		Balancer:     &kafka.RoundRobin{},
		BatchTimeout: time.Millisecond,
		RequiredAcks: kafka.RequireAll,
	}
	patient(writer)
	defer writer.Close()
	return driver.Flow(wish, func(value string) error {
		return firstOf(writer.WriteMessages(context.Background(), kafka.Message{Value: []byte(value)}))
	}), nil
}

func consume(address string, wish driver.Wish) (any, error) {
	config := kafka.ReaderConfig{
		Brokers: driver.Brokers(address), Topic: wish.Topic, Partition: int(wish.Partition), MaxWait: 100 * time.Millisecond,
	}
	if wish.MinBytes > 0 {
		config.MinBytes, config.MaxBytes, config.MaxWait = int(wish.MinBytes), 4<<20, driver.MinBytesWait
	}
	reader := kafka.NewReader(config)
	defer reader.Close()
	if err := reader.SetOffset(wish.Offset); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), driver.Patience)
	defer cancel()
	records := []driver.Record{}
	var told error
	for len(records) < wish.Count {
		one, err := reader.FetchMessage(ctx)
		if err != nil && ctx.Err() == nil {
			// Its reader gives up after three attempts where a broker is away, and goes on when it is asked again.
			told = err
			time.Sleep(driver.Pause)
			continue
		}
		if err != nil {
			return nil, errors.Join(driver.InTime(len(records), wish.Count), told, err)
		}
		record := driver.Record{
			Offset: one.Offset, Key: driver.Text(one.Key), Value: driver.Text(one.Value),
			Headers: [][2]string{}, Timestamp: driver.Millis(one.Time),
		}
		for _, header := range one.Headers {
			record.Headers = append(record.Headers, [2]string{header.Key, string(header.Value)})
		}
		records = append(records, record)
	}
	return records, nil
}

func consumeGroup(address string, wish driver.Wish) (any, error) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers:        driver.Brokers(address),
		GroupID:        wish.Group,
		Topic:          wish.Topic,
		StartOffset:    kafka.FirstOffset,
		MaxWait:        100 * time.Millisecond,
		SessionTimeout: 6 * time.Second,
	})
	defer reader.Close()
	ctx, cancel := context.WithTimeout(context.Background(), driver.Patience)
	defer cancel()
	found := []driver.Placed{}
	for len(found) < wish.Count {
		one, err := reader.FetchMessage(ctx)
		if err != nil {
			return nil, errors.Join(driver.InTime(len(found), wish.Count), err)
		}
		found = append(found, driver.Placed{Partition: int32(one.Partition), Offset: one.Offset})
		if err := reader.CommitMessages(ctx, one); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Its reader of a group does not tell what it was assigned; what that reader is made of does.
func member(wish driver.MemberWish, leaving <-chan struct{}) error {
	if wish.Instance != "" {
		return driver.Lacks("no static membership")
	}
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                wish.Group,
		Brokers:           driver.Brokers(wish.Address),
		Dialer:            &kafka.Dialer{ClientID: wish.Name, Timeout: 10 * time.Second},
		Topics:            []string{wish.Topic},
		HeartbeatInterval: 300 * time.Millisecond,
		SessionTimeout:    wish.Session(),
		RebalanceTimeout:  10 * time.Second,
		JoinGroupBackoff:  200 * time.Millisecond,
		StartOffset:       kafka.FirstOffset,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-leaving
		cancel()
	}()
	for ctx.Err() == nil {
		generation, err := group.Next(ctx)
		if err != nil {
			// While no broker is there; applications go on so.
			fmt.Println(err)
			continue
		}
		own := []int32{}
		for _, assignment := range generation.Assignments[wish.Topic] {
			own = append(own, int32(assignment.ID))
			generation.Start(func(ctx context.Context) { readOn(ctx, wish, generation, assignment) })
		}
		driver.SayAssigned(own)
	}
	return group.Close()
}

// One partition until its generation ends, which waits for the last commit.
func readOn(ctx context.Context, wish driver.MemberWish, generation *kafka.Generation, from kafka.PartitionAssignment) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: driver.Brokers(wish.Address), Topic: wish.Topic, Partition: from.ID, MaxWait: 100 * time.Millisecond,
	})
	defer reader.Close()
	_ = reader.SetOffset(from.Offset)
	next, committed := from.Offset, from.Offset
	commit := func() {
		if next == committed {
			return
		}
		if generation.CommitOffsets(map[string]map[int]int64{wish.Topic: {from.ID: next}}) == nil {
			committed = next
		}
	}
	defer commit()
	for ctx.Err() == nil {
		soon, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		one, err := reader.FetchMessage(soon)
		cancel()
		if err != nil {
			commit()
			continue
		}
		driver.Say(driver.Placed{Partition: int32(from.ID), Offset: one.Offset})
		next = one.Offset + 1
	}
}

func main() { driver.Serve(verbsOf, member) }
