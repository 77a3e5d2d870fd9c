// Package roster keeps which agents are enrolled.
//
// Each agent has a file, which the server alone writes: who it is, under which enrolment, and which certificate it has. A
// revocation is a file of its own, written by whoever revokes, and names an enrolment; so a renewal that happens at the
// same time cannot undo it, and a new enrolment of the same agent is not revoked with the old one.
package roster
