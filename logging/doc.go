// Package logging sets up log/slog for a program that runs for years on somebody else's machine: lines for people or for
// programs, to the terminal and to files that rotate, and no line lost that could have been kept.
//
// [Open] takes a [Config] whose zero value works and returns a [Log]; its [Log.Logger] is a plain *slog.Logger. Nothing is
// global: the program decides whether that logger becomes slog's default.
//
// # Lines
//
// A record becomes one line, in one of two layouts. Text is for people:
//
//	2026-11-20 10:00:00.000 INFO connected server=10.0.0.1:13081 took=12ms
//
// JSON is for programs, with slog's keys time, level and msg. In both, whatever could break a line or fool a terminal
// (line feeds, control characters, escape sequences, marks that change the direction of writing, invalid UTF-8) comes out
// quoted, wherever it came from. In text a bare message holds neither '=' nor '"' and a bare key or value no blank either,
// so that nothing can pass for another attribute; what is quoted is a Go string literal.
//
// A line is written with one write call. When the call to the logger returns, the line is in the kernel, and killing the
// process does not lose it. Config.Buffer gives that up for speed.
//
// # Files
//
// By size, the log is NAME.log, and what was rotated is NAME.log.1 (the newest), NAME.log.2 and so on. By date, it is
// NAME_20060102.log, a file a day; a day that outgrows the size goes on in a new file, and its earlier parts are
// NAME_20060102.log.1 and so on. With Config.Compress what was rotated gets ".gz" at its end, some seconds later. For some
// milliseconds after a rotation the newest file is numbered 0, until the others have made room.
//
// No file is larger than Config.Size by more than one line. Beside the current file Config.Rotate files are kept. Only
// files whose names are exactly of these patterns are ever renamed, compressed or removed, so that several logs may share
// a folder; a rotation never replaces a file. The file may be moved away or removed at any time, by logrotate or by hand: a
// log that is written to notices within 100 ms, until when lines go to the moved file, and at once with [Log.Reopen].
//
// # Faults
//
// A full disk, a missing folder, a file that became a FIFO or a symbolic link: nothing of that stops the program or
// reaches its calls. The lines go on to the targets that work, the fault is shown on standard error once and counted
// ([Log.Stats], [Log.Err]), and the file is tried again every 100 ms while there are lines for it. The first line
// after a fault says how many are missing before it.
package logging
