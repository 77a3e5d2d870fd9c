package load

import (
	"context"
	"net/http"

	"github.com/open-telemetry/opamp-go/protobufs"
	"github.com/open-telemetry/opamp-go/server"
	"github.com/open-telemetry/opamp-go/server/types"
)

// serveOpAMP is a server of opamp-go that answers each message with an empty one.
func serveOpAMP(ctx context.Context, addr string) error {
	s := server.New(nil)
	answer := func(context.Context, types.Connection, *protobufs.AgentToServer) *protobufs.ServerToAgent {
		return &protobufs.ServerToAgent{}
	}
	err := s.Start(server.StartSettings{
		ListenEndpoint: addr,
		ListenPath:     "/ws/agent",
		Settings: server.Settings{Callbacks: types.Callbacks{
			OnConnecting: func(*http.Request) types.ConnectionResponse {
				return types.ConnectionResponse{Accept: true, ConnectionCallbacks: types.ConnectionCallbacks{OnMessage: answer}}
			},
		}},
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return s.Stop(context.WithoutCancel(ctx))
}
