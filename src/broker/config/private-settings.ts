import { bool, text } from './setting.ts'

/** What an operator needs of a broker that it runs; part of the broker's table of settings. */
export const privateSettings = {
  'advertised.listeners.loopback.enable': bool({
    default: false,
    effect: 'at restart',
    doc: 'While there is one broker, a client that dialled a loopback address is told localhost and the port that it dialled, whatever `advertised.listeners` says: so `kubectl port-forward` works, which dials in the pod. Not for brokers behind a proxy of their own machine.',
  }),
  'private.listener': text({
    default: '',
    effect: 'at restart',
    doc: 'host:port of the listener for the operator, and for brokers among themselves: in none of `listeners`, told to no client, and closed to who has not logged in by SCRAM-SHA-256 as `operator` or `broker`. 0.0.0.0 or no host: every address of the machine. Empty: there is none.',
  }),
  'private.advertised.listener': text({
    default: '',
    effect: 'at restart',
    described: 'where given',
    doc: 'host:port at which other brokers reach `private.listener`. Empty: its own address; where it listens at every address, the host that clients are told for the first of `listeners`, and its own port.',
  }),
  'private.credentials.dir': text({
    default: '',
    effect: 'at restart',
    doc: 'Directory with the passwords of the private listener: a file `operator` and a file `broker`, as a Secret is mounted. They are read at each login, so a change counts for the next one.',
  }),
  'termination.log.file': text({
    default: '',
    effect: 'at restart',
    doc: 'Where a broker that refuses to start says why, as one line of JSON with `reason` and `message`: /dev/termination-log in a pod. Empty: nowhere but on stderr.',
  }),
  'replication.throttled.reassignments.enable': bool({
    default: false,
    effect: 'at once',
    doc: 'Replicas that a reassignment brings count as listed in leader.replication.throttled.replicas and follower.replication.throttled.replicas of their topics: so the rates of both sides hold back what is copied for it, and nobody has to list partitions and to take that back.',
  }),
  'leadership.drain.enable': bool({
    default: false,
    effect: 'at once',
    described: 'where given',
    doc: 'Given to a running broker, true has it lead nothing that another replica in sync can lead, from that moment until it is taken back; then it leads again what prefers it. So a node is emptied before its pod is evicted. Of one broker, and not of all.',
  }),
  'hibernation.freeze.enable': bool({
    default: false,
    effect: 'at once',
    described: 'where given',
    doc: 'Given to all running brokers, true has them refuse what clients write (NOT_ENOUGH_REPLICAS, which producers retry; COORDINATOR_NOT_AVAILABLE for committed offsets), and keeps whoever stops in its in-sync sets, until it is taken back: so all brokers of a cluster stop together and come back as they were. Of all brokers, and not of one.',
  }),
} as const
