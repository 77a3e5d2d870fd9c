// Package files lists folders of agents and moves files from and to them. It is a [server.Feature]: [New] makes one from a
// [Config], which goes into [server.Config.Features], and it answers /api/file.
//
// A download goes from the agent to whoever asked for it without being kept: a client that reads slowly makes the agent wait,
// and nobody else. From agents of the field, which send files among all other messages and cannot wait, the server keeps on
// its disk what the client has not read yet. Either way the last bytes are given out only when the checksum of all is right,
// so what has come whole is good.
//
// An upload to an agent of ours goes on to it while it comes, and what the agent has not taken yet is in memory: a client is
// read from as fast as its agent takes the file. Uploads to agents of the field, and those whose form says only after the file where
// it is to go, are kept on the server's disk until the agent has them.
package files
