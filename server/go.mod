module github.com/jkstack/jkframe/v2/server

go 1.25.0

require github.com/jkstack/jkframe/v2 v2.0.0

require (
	github.com/danielgtaylor/huma/v2 v2.37.2 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/prometheus/client_golang v1.23.2 // indirect
	github.com/spf13/cobra v1.10.2 // indirect
	github.com/spf13/pflag v1.0.10 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/time v0.15.0 // indirect
)

replace github.com/jkstack/jkframe/v2 => ../
