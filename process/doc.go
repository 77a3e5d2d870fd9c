// Package process runs commands for a program that is told what to run by somebody else: as an argument list or as a command
// line, with pipes or on a terminal, as this user or another one.
//
// A [Runner] bounds how many run at once and has the others wait their turn. [Runner.Start] returns when the command runs, or says
// why it does not: [ErrNotFound], [ErrNotExecutable], [ErrNoFolder], [ErrNoUser], [ErrDenied] and [ErrBusy] are told apart.
// [Process.Wait] returns when it has ended and everything that it wrote has been given to [Command.Output].
//
// # Ends
//
// A command that is killed, that takes longer than its timeout, or whose context ends, gets SIGTERM, together with its process
// group, and after a grace period everything that descends from it gets SIGKILL, in a [limit.Group]: a new session or a second
// fork does not lead out of it. What a command that ended by itself has left in the background goes on, until the Runner is
// closed; it does not hold the command's end, even if it holds its output.
//
// # Output
//
// Standard output and standard error come together, in the order in which they were written, and bytes stay bytes. With
// [Command.Text] lines that are GBK and not UTF-8 become UTF-8; [NewText] is that alone. To keep output
// to a limit, for readers who come later or are slow, give an l2cache.Buffer with l2cache.FullDiscard.
//
// # Other users
//
// A program that runs as root switches user, group and groups itself, and asks for no password. Another one uses sudo, with the
// password through a pipe, or su, with the password through a terminal. The password is in no argument, variable, file or error.
//
// # Windows
//
// There is no terminal, no other user and no SIGTERM: a command that is killed is killed at once, with all of its job object. Command
// lines are for cmd /C, and text that is not UTF-8 is in the console's code page. It was run under wine, not on Windows itself.
package process
