// Package limit keeps a long-running program, and what it starts, within limits of CPU time, memory, disk traffic and
// number of processes, with whatever the host offers for it: control groups of version 1 or 2 on Linux, job objects on
// Windows, and the settings of the Go runtime everywhere.
//
// [Apply] limits the process itself. What makes no sense on any host (a negative quota, a device named "sda:x") is
// its error, all of it at once; what this host cannot do is not: [Applied.Results] says for each limit which mechanism holds
// it, or in words why none does. Either way the rest is applied. A limit that is zero or absent touches nothing.
//
// [Applied.NewGroup] makes a [Group] for children: they are started into it, share its limits within those of the
// program, are killed as a whole, and leave an account of what they used.
//
// # Units
//
// CPU quotas are percent of one core: 50 is half a core, 150 one and a half. Memory is bytes. Disk limits are bytes a
// second and operations a second of one block device.
//
// # Where it was tested
//
// On Linux with control groups of version 1 and 2, mixed, and under systemd. Of what it does on Windows, only what wine has
// was run: memory, processes, and killing as a whole, but not the CPU rate and the account of CPU time.
package limit
