package main

import (
	"context"
	"strings"

	"github.com/segmentio/kafka-go"

	"logcluster/drivers/driver"
)

type act func(ctx context.Context, client *kafka.Client, wish driver.Wish) (any, error)

func adminVerbs(address string) map[string]driver.Verb {
	acts := map[string]act{
		"offsetForTime":  offsetForTime,
		"partitions":     partitions,
		"createTopic":    createTopic,
		"growTopic":      growTopic,
		"configureTopic": configureTopic,
		"describeTopic":  describeTopic,
		"deleteTopic":    deleteTopic,
	}
	verbs := map[string]driver.Verb{}
	for name, act := range acts {
		verbs[name] = func(wish driver.Wish) (any, error) {
			ctx, cancel := context.WithTimeout(context.Background(), driver.Patience)
			defer cancel()
			return driver.Again(func() (any, error) {
				transport := &kafka.Transport{}
				defer transport.CloseIdleConnections()
				return act(ctx, &kafka.Client{Addr: kafka.TCP(driver.Brokers(address)...), Transport: transport}, wish)
			})
		}
	}
	return verbs
}

func offsetForTime(ctx context.Context, client *kafka.Client, wish driver.Wish) (any, error) {
	asked := []kafka.OffsetRequest{{Partition: int(wish.Partition), Timestamp: wish.Timestamp}}
	answer, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{wish.Topic: asked}})
	if err != nil {
		return nil, err
	}
	found := answer.Topics[wish.Topic][0]
	for offset := range found.Offsets {
		return offset, found.Error
	}
	return -1, found.Error
}

// Of its ways to ask, a connection's may make the topic; its client's may not.
func partitions(ctx context.Context, client *kafka.Client, wish driver.Wish) (any, error) {
	conn, err := dialAny(ctx, client)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	found, err := conn.ReadPartitions(wish.Topic)
	return len(found), err
}

// A connection is to one address.
func dialAny(ctx context.Context, client *kafka.Client) (conn *kafka.Conn, err error) {
	for _, broker := range strings.Split(client.Addr.String(), ",") {
		if conn, err = kafka.DialContext(ctx, "tcp", broker); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func createTopic(ctx context.Context, client *kafka.Client, wish driver.Wish) (any, error) {
	topic := kafka.TopicConfig{Topic: wish.Topic, NumPartitions: int(wish.Partitions), ReplicationFactor: -1}
	for name, value := range wish.Configs {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	answer, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err != nil {
		return nil, err
	}
	return nil, answer.Errors[wish.Topic]
}

func growTopic(ctx context.Context, client *kafka.Client, wish driver.Wish) (any, error) {
	topics := []kafka.TopicPartitionsConfig{{Name: wish.Topic, Count: wish.Partitions}}
	answer, err := client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: topics})
	if err != nil {
		return nil, err
	}
	return nil, answer.Errors[wish.Topic]
}

func configureTopic(ctx context.Context, client *kafka.Client, wish driver.Wish) (any, error) {
	configs := []kafka.IncrementalAlterConfigsRequestConfig{}
	for name, value := range wish.Configs {
		change := kafka.IncrementalAlterConfigsRequestConfig{Name: name, Value: value, ConfigOperation: kafka.ConfigOperationSet}
		configs = append(configs, change)
	}
	resource := kafka.IncrementalAlterConfigsRequestResource{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: wish.Topic, Configs: configs,
	}
	answer, err := client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{resource},
	})
	if err != nil {
		return nil, err
	}
	return nil, answer.Resources[0].Error
}

func describeTopic(ctx context.Context, client *kafka.Client, wish driver.Wish) (any, error) {
	resource := kafka.DescribeConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: wish.Topic}
	answer, err := client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{resource},
	})
	if err != nil {
		return nil, err
	}
	described := map[string]string{}
	for _, entry := range answer.Resources[0].ConfigEntries {
		described[entry.ConfigName] = entry.ConfigValue
	}
	return described, answer.Resources[0].Error
}

func deleteTopic(ctx context.Context, client *kafka.Client, wish driver.Wish) (any, error) {
	answer, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{wish.Topic}})
	if err != nil {
		return nil, err
	}
	return nil, answer.Errors[wish.Topic]
}
