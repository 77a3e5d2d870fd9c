package outboxmodel_test

// fault is a rule of the protocol that the model breaks on purpose, to show that the invariants notice.
type fault string

const (
	none fault = ""

	// Of the agent.
	sameRun      fault = "a start goes on with the outbox id of the start before"
	acceptEarly  fault = "a message is accepted before it is synced"
	nextFromLog  fault = "the next sequence comes from the records alone, not from what was acknowledged too"
	noteEarly    fault = "a start notes which records there are before these are synced"
	forgetRuns   fault = "a run without records is forgotten"
	lateLedger   fault = "the first message of a run is accepted before the run is noted"
	removeEarly  fault = "records are removed before the acknowledgement is saved"
	letGoSent    fault = "a message is let go when it is sent"
	dropEarly    fault = "records are dropped before the name of the next file is synced"
	skipGaps     fault = "what is missing is skipped and not declared"
	trustOwnAcks fault = "sending resumes where the agent thinks, not where the server says"
	noForkCheck  fault = "the server's place is not compared with the agent's own records"

	// Of the server.
	ackEarly       fault = "the server acknowledges before it syncs"
	openedEarly    fault = "the answer to an open tells of what is not synced"
	keepCursors    fault = "cursors are kept apart from the messages"
	forgetCursors  fault = "cursors are gone after a restart"
	takeFromAnyone fault = "a stream is taken from every connection that sends it"
	takeTwice      fault = "what was taken is taken again"
	refuseSilently fault = "who has sent what the journal could not take is not told"
)

// faults are all of them.
var faults = []fault{
	sameRun, acceptEarly, nextFromLog, noteEarly, forgetRuns, lateLedger, removeEarly, dropEarly, letGoSent, skipGaps, trustOwnAcks, noForkCheck,
	ackEarly, openedEarly, keepCursors, forgetCursors, takeFromAnyone, takeTwice, refuseSilently,
}
