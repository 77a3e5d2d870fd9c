// Package conn compares jkframe's connections with bare gorilla/websocket ones: the memory of a connection that is
// idle, and messages of 200 bytes sent and received, one by one and in batches, over loopback.
package conn
