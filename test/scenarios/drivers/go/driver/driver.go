// Package driver is what the Go drivers share: see serve.ts, which says the same for those in TypeScript.
package driver

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// Record is a record as scenarios see it. Key and value are nil where they are null.
type Record struct {
	Offset    int64       `json:"offset"`
	Key       *string     `json:"key"`
	Value     *string     `json:"value"`
	Headers   [][2]string `json:"headers"`
	Timestamp *int64      `json:"timestamp,omitempty"`
}

// Wish has the arguments of every verb; each reads its own.
type Wish struct {
	Topic      string            `json:"topic"`
	Partition  int32             `json:"partition"`
	Partitions int32             `json:"partitions"`
	Configs    map[string]string `json:"configs"`
	Records    []Record          `json:"records"`
	Codec      string            `json:"codec"`
	Acks       string            `json:"acks"`
	Offset     int64             `json:"offset"`
	Count      int               `json:"count"`
	MinBytes   int32             `json:"minBytes"`
	Timestamp  int64             `json:"timestamp"`
	Group      string            `json:"group"`
	Before     int               `json:"before"`
	Total      int               `json:"total"`
	QuietMs    int               `json:"quietMs"`
	EveryMs    int               `json:"everyMs"`
	Until      string            `json:"until"`
}

// MinBytesWait is how long a consumer that wants so many bytes waits for them: longer than `Patience`, so that
// a fetch that should have been answered at once is missed.
const MinBytesWait = 25 * time.Second

// Patience is how long a verb waits for records.
const Patience = 20 * time.Second

// Pause is how long an application waits before it tries again.
const Pause = 100 * time.Millisecond

// Again tries until there is no error, or `Patience` is over: for what a library leaves to its application while the
// broker that it has to ask is away. What the library cannot do is not tried again.
func Again[Result any](act func() (Result, error)) (Result, error) {
	for late := time.Now().Add(Patience); ; time.Sleep(Pause) {
		result, err := act()
		var lacks Lacks
		if err == nil || errors.As(err, &lacks) || time.Now().After(late) {
			return result, err
		}
	}
}

// Placed is where a record of a group was read.
type Placed struct {
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
}

// Flowed is what became of a flow's records.
type Flowed struct {
	Acked  int      `json:"acked"`
	Failed []string `json:"failed"`
}

// Paused has the offsets read before a pause, in it, and after.
type Paused struct {
	Before []int64 `json:"before"`
	During []int64 `json:"during"`
	After  []int64 `json:"after"`
}

// Verb answers one request; its error may be a Lacks.
type Verb func(wish Wish) (any, error)

// Lacks says that the library cannot do what was asked, by design.
type Lacks string

func (reason Lacks) Error() string { return string(reason) }

// Brokers has the brokers of an address, where several stand with commas between them.
func Brokers(address string) []string { return strings.Split(address, ",") }

// MemberWish is how a member of a group is started. Instance is empty where it is not static.
type MemberWish struct {
	Address, Topic, Group, Name, Instance string
}

// Session is short, so that a crash is noticed; a static member has to be started again within it.
func (wish MemberWish) Session() time.Duration {
	if wish.Instance == "" {
		return 3 * time.Second
	}
	return 30 * time.Second
}

// Serve is a driver's main: `ADDRESS` answers requests, one a line; `ADDRESS TOPIC GROUP NAME [INSTANCE]` is a
// member of a group until a line comes, which closes `leaving`.
func Serve(verbs func(address string) map[string]Verb, member func(wish MemberWish, leaving <-chan struct{}) error) {
	args := append(os.Args[1:], "", "")
	if len(os.Args) > 2 {
		leaving := make(chan struct{})
		go func() {
			_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
			close(leaving)
		}()
		if err := member(MemberWish{args[0], args[1], args[2], args[3], args[4]}, leaving); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	known := verbs(args[0])
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		answer(known, line)
	}
}

func answer(verbs map[string]Verb, line []byte) {
	var request struct {
		ID   int    `json:"id"`
		Verb string `json:"verb"`
		Args Wish   `json:"args"`
	}
	if err := json.Unmarshal(line, &request); err != nil {
		Say(refusal{request.ID, "", err.Error()})
		return
	}
	verb, has := verbs[request.Verb]
	if !has {
		Say(refusal{request.ID, "no " + request.Verb, ""})
		return
	}
	result, err := verb(request.Args)
	switch reason := err.(type) {
	case nil:
		Say(granted{request.ID, result})
	case Lacks:
		Say(refusal{request.ID, string(reason), ""})
	default:
		Say(refusal{request.ID, "", err.Error()[:min(2000, len(err.Error()))]})
	}
}

// Scenarios know an answer by its first letters.
type granted struct {
	ID     int `json:"id"`
	Result any `json:"result"`
}

type refusal struct {
	ID    int    `json:"id"`
	Lacks string `json:"lacks,omitempty"`
	Error string `json:"error,omitempty"`
}

var output sync.Mutex

// Say writes one line; partitions of a group are read side by side.
func Say(what any) {
	line, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	_, _ = os.Stdout.Write(append(line, '\n'))
}

// SayAssigned tells a member's whole part.
func SayAssigned(partitions []int32) {
	if partitions == nil {
		partitions = []int32{}
	}
	Say(map[string][]int32{"assigned": partitions})
}

// Version of the module that this program was built with.
func Version(module string) (any, error) {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return strings.TrimPrefix(dependency.Version, "v"), nil
		}
	}
	return nil, fmt.Errorf("built without %s", module)
}

// Flow sends the numbers from 0 on, one after the other, until it is told to end.
func Flow(wish Wish, send func(value string) error) Flowed {
	flowed := Flowed{Failed: []string{}}
	for at := 0; ; at++ {
		if _, err := os.Stat(wish.Until); err == nil {
			return flowed
		}
		if err := send(fmt.Sprint(at)); err != nil {
			flowed.Failed = append(flowed.Failed, err.Error())
		} else {
			flowed.Acked++
		}
		time.Sleep(time.Duration(wish.EveryMs) * time.Millisecond)
	}
}

// Bytes of a text; nil where it is null.
func Bytes(text *string) []byte {
	if text == nil {
		return nil
	}
	return []byte(*text)
}

// Text of what the library read; null where that is nil.
func Text(data []byte) *string {
	if data == nil {
		return nil
	}
	text := string(data)
	return &text
}

// Millis of a time as records have it.
func Millis(at time.Time) *int64 {
	millis := at.UnixMilli()
	return &millis
}

// InTime is the error of a verb that has not got what it waits for.
func InTime(found, wanted int) error {
	return fmt.Errorf("only %d of %d records within %v", found, wanted, Patience)
}
