// Package unit writes what the service managers of Linux read of an agent or a server: a unit of systemd, a script for OpenRC and
// one for System V. A service runs as a user of its own, comes back after a crash where its manager can see to that, may have many
// open files, and owns its control group, so that it can limit itself and its children.
//
// Commands install these files, and packages contain them.
package unit
