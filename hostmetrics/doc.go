// Package hostmetrics says what a machine is and what it does: its hardware, file systems and accounts, how busy it is, its
// processes, its sockets and its temperatures.
//
// Make one [Collector] and keep it: rates are made of what two of its looks have in common. Each thing that it looks at is an
// item with a deadline. An item that fails or hangs, such as a file system whose server is gone, costs the report that item and
// nothing else: it is left out, and told to [Options.Warn]. So do the lists of file systems, processes and sockets: without them the
// report lacks what they would have had, or its method fails. What hangs is not started again before it has returned.
//
// What a system does not have is absent: a nil pointer, an empty list, an empty text. A zero is a measured zero. Sizes are in
// bytes, shares in percent, and every text is valid UTF-8 of bounded length, whatever the names of processes and mounts are.
//
// On Linux it reads /proc, /sys and netlink by itself, each once a report, so that it stays cheap on a machine with thousands of
// processes and sockets; elsewhere it stands on gopsutil.
package hostmetrics
