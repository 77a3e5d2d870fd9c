// Package outboxmodel is a model of what carries an agent's messages to a server's journal, and a test of it: outbox,
// connection and journal in a few hundred lines, in which random schedules lose power, kill either side between any two steps,
// cut connections, copy the agent's folder, and restore older states of both disks. It has no code to import. What follows is
// the extension of the protocol that it proves, and what those who write the real ones need to know of it: libagent's outbox and the
// server's journal. docs/protocol.md has the messages as they are on the wire.
//
// # Promise
//
// A message that the outbox has accepted is in the journal once, or the journal says that it is missing; and no message is
// taken for another one. Within a stream the journal is in order.
//
// # Names
//
// Each start of an agent gives its outbox a new random outbox id of 128 bits, a run. (run, lane) is a stream; a message has a
// sequence in it. Names are never used twice, which is what makes copies of a disk harmless: two agents that start from the
// same folder send what was left in it under the same names, which the journal takes once, and whatever is new under names of
// their own. The same holds after a folder was restored, and after a loss of power has taken the end of an outbox that does not
// sync: nothing of the new run can meet what the server has of the old one.
//
// The server keeps a cursor for each stream: the last sequence in its journal. The cursor goes by the run and the lane alone,
// so that an agent may be renamed; the run is a secret between the two, and never logged.
//
// # The agent's folder
//
//   - A queue for each lane. Every record has its sequence, its segment names the run and the run's first sequence. Sequences
//     go on over runs: the next one is beyond all records, beyond what was acknowledged, and not below the name of the newest
//     segment, whatever of these is left.
//   - The ledger: for each lane, the runs in order, with first and last sequence. A run stays in it after its messages have
//     gone, because nobody else can say later that they are missing. (The real one keeps 32 of which the server has everything,
//     and none that never had a message.)
//   - What is acknowledged: in each lane the sequence up to which all runs are.
//
// Ledger and acknowledgements are replaced as a whole, and synced where this text says saved. The order matters:
//
//   - At a start: sync the records that are found; close the latest run in the ledger, add the new one, save; only then accept.
//   - A message is accepted, and may be sent, when its record is in the kernel, or on the disk: that is a setting. A loss of
//     power takes what was only in the kernel, and nobody knows of it.
//   - Before records are removed, because they are acknowledged: save that.
//   - When the outbox is full, the oldest segments are removed, never the newest, and only when that one's name is synced.
//     Nothing needs to be noted: what is missing between two sequences is missing.
//
// # Come and handshake
//
// come has "ack":1 when the agent speaks this, handshake has "ack":1 when the server does; without both there is none of it,
// and a message is let go when it is written. An outbox that has given messages to such a server goes on as always with the
// next that speaks it: to that one they are missing.
//
// # Messages
//
// All by text frames. h is a number that the agent chooses for a stream on this connection, a new one for each time that it
// opens it. A message of a stream is the frame as it is in the outbox, with the member "out":[h,sequence,at] put before its first;
// at is the time of its acceptance in Unix nanoseconds, so that no two are equal, and a server of the old kind gets the frame
// without it. 20000 to 20002 have lists of what follows, for all streams of a connection at once.
//
//	20000 out_open    agent to server   h, run (32 hex digits), lane (0 control, 1 bulk), first (sequence of the run)
//	20001 out_opened  server to agent   h, seq (the cursor), sum (first 16 hex digits of the SHA-256 of at in decimal, a blank, and
//	                                    the frame at seq; empty when seq is missing or nothing is there)
//	20002 out_ack     server to agent   h, seq: all up to seq is in the journal
//	20003 out_gap     agent to server   h, from, to, why ("full", "damaged", "gone", "refused"): these will not come
//	20004 out_lost    server to agent   h: another connection has opened the stream, or the journal cannot take what came
//
// # The agent
//
//	connected   open every stream of the ledger and the live one, in order, the answers need not be awaited one by one. (The real
//	            one opens the live stream when there is a message in it.)
//	opened(c)   the server goes on after c, whatever the agent believed: let go up to c, next is c+1
//	            c is beyond the last of a run that has ended: the folder is a copy, or an older state; say so and go on
//	            c is beyond the last of the live run, or sum is not that of the agent's own message at c: rename, see below
//	            c is less than what was acknowledged: the server was restored; say so and go on
//	sending     a lane's streams one after the other, each from its next: the message, or out_gap up to the next that is there
//	            or to the end of the run. Never before opened, never out of order
//	ack(c)      let go up to c
//	lost        open again, after the pause of a reconnect
//	cut         nothing: the next connection opens again
//
// # The server
//
//	out_open      the stream belongs to this connection from now on, another one that has it is told out_lost. The answer has
//	              the cursor (first-1 for a stream that is not known), and waits until all up to it is synced
//	message, gap  of a connection that does not have the stream: ignored
//	              up to the cursor: ignored. Of a gap that is partly known, the rest is taken
//	              next after the cursor: one write to the journal that has agent, run, lane, sequence or range, and frame; the
//	              cursor is what this write says, never a write of its own
//	              else: the agent is at fault; end the connection and take nothing
//	synced        out_ack for the streams that moved
//	not written   what was not synced is forgotten, and cursors are what they were; the streams belong to nobody, and who had them
//	              is told out_lost. The answer to an out_open waits until the journal can be written
//	start         cursors from the journal: its latest checkpoint (a snapshot of all cursors, itself a record) and what follows
//
// Messages of lanes are told apart on the connection (control overtakes bulk), so each stream comes in order. Cursors of
// streams that nobody has opened for a long time (30 days) may be forgotten; a copy of a folder that is older than that brings
// its messages once more.
//
// # Snapshots with memory
//
// A virtual machine that is copied, or set back, together with its memory has two processes in the same run. No name can tell
// them apart, but the first of them that delivers something new makes the other one notice, by the cursor or by the sum. That
// one renames: what is not acknowledged of the stream, and all that is to come, gets a new run, by one saved change of the
// ledger that closes the old run before it. What was pending when the copy was made may be in the journal under two names then, and
// what one of the two has dropped is declared for both; nothing is mistaken, and nothing is missing that is not declared.
//
// One hole is left: a process of which there is such a copy, that accepts messages, and ends before it has connected again. Its
// next start knows no more than that the run has ended, like that of any copied folder, and lets go of what the other one has
// used the names of.
//
// # Running it
//
// go test runs some thousand schedules; more of them:
//
//	go test -run TestModel$ -rapid.checks=100000 ./internal/outboxmodel
package outboxmodel
