// What watchers of a cluster ask (kminion, kafka_exporter, Burrow), by franz-go: `ADDRESS GROUP` prints it once.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const offsetsTopic = "__consumer_offsets"

type seen struct {
	// By topic, its partitions together.
	SizeBytes map[string]int64 `json:"sizeBytes"`
	// Of the volumes of all directories; -1 where one does not tell.
	UsableBytes int64            `json:"usableBytes"`
	EndOffsets  map[string]int64 `json:"endOffsets"`
	State       string           `json:"state"`
	Lag         int64            `json:"lag"`
	// By topic, from the records of the topic of committed offsets.
	Committed map[string]int64 `json:"committed"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	found, err := watch(ctx, os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(found)
}

func watch(ctx context.Context, address, group string) (*seen, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	found := &seen{SizeBytes: map[string]int64{}, EndOffsets: map[string]int64{}, Committed: map[string]int64{}}
	dirs, err := admin.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return nil, err
	}
	dirs.Each(func(dir kadm.DescribedLogDir) {
		found.UsableBytes += dir.UsableBytes
		dir.Topics.Each(func(one kadm.DescribedLogDirPartition) { found.SizeBytes[one.Topic] += one.Size })
	})
	ends, err := admin.ListEndOffsets(ctx)
	if err != nil {
		return nil, err
	}
	ends.Each(func(one kadm.ListedOffset) { found.EndOffsets[one.Topic] += one.Offset })
	lags, err := admin.Lag(ctx, group)
	if err != nil {
		return nil, err
	}
	found.State, found.Lag = lags[group].State, lags[group].Lag.Total()
	return found, readCommits(ctx, address, admin, group, found.Committed)
}

// Every partition of the topic of committed offsets, from its start to where it ends now.
func readCommits(ctx context.Context, address string, admin *kadm.Client, group string, committed map[string]int64) error {
	starts, err := admin.ListStartOffsets(ctx, offsetsTopic)
	if err != nil {
		return err
	}
	ends, err := admin.ListEndOffsets(ctx, offsetsTopic)
	if err != nil {
		return err
	}
	from := map[int32]kgo.Offset{}
	starts.Each(func(one kadm.ListedOffset) {
		if end, _ := ends.Lookup(one.Topic, one.Partition); end.Offset > one.Offset {
			from[one.Partition] = kgo.NewOffset().At(one.Offset)
		}
	})
	client, err := kgo.NewClient(
		kgo.SeedBrokers(address),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{offsetsTopic: from}),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for left := len(from); left > 0; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			note(record, group, committed)
			if end, _ := ends.Lookup(record.Topic, record.Partition); record.Offset == end.Offset-1 {
				left--
			}
		})
	}
	return nil
}

func note(record *kgo.Record, group string, committed map[string]int64) {
	var key kmsg.OffsetCommitKey
	var value kmsg.OffsetCommitValue
	// Keys of the groups themselves have version 2.
	if key.ReadFrom(record.Key) != nil || key.Version > 1 || key.Group != group || record.Value == nil {
		return
	}
	if value.ReadFrom(record.Value) == nil {
		committed[key.Topic] = value.Offset
	}
}
