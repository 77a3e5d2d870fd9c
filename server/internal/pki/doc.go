// Package pki is the server's own certificate authority: a small one that signs certificates of servers and of agents, and
// nothing else.
//
// An [Authority] is a folder of one or more CAs, each a file with its certificate and its key. One of them signs; all are
// trusted. So a new CA can be made, become known to all agents, begin to sign, and replace the old one, while everybody is
// connected: see [Rotate], [Activate] and [Remove]. Another process may change the folder; [Authority.Refresh] notices.
//
// Keys are ECDSA on P-256. Ed25519 would be a little smaller, but schannel on Windows, older OpenSSL and many proxies do
// not take it in certificates, and with TLS 1.3 everybody takes P-256.
package pki
