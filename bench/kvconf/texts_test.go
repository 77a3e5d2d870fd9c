package kvconf_test

// The same 25 settings, in the same order, with the same comments, in the form of each peer.
const (
	kvText = `# who this agent is; the server gives it a name when this is empty
basic.id = agent-20261120-6f51bedf71994cff
# address of the server
basic.server = 192.0.2.10:13081
# where the log goes
basic.log.target = stdout,file
basic.log.dir = /opt/example-agent/logs
# size of a log file before the next one is started
basic.log.size = 10M
basic.log.rotate = 7
basic.log.level = info
# the agent reports on itself
basic.monitor.enabled = true
basic.monitor.interval = 30s
# 100 is one core
basic.limit.cpu_quota = 100
basic.limit.memory_limit = 512M
basic.reconnect.spread = 3s
basic.tls.enabled = true
basic.tls.ca = /etc/agent/ca.pem
basic.tls.cert = /etc/agent/cert.pem
basic.tls.key = /etc/agent/key.pem
# what the server has not taken yet
basic.outbox.dir = /var/lib/agent/outbox
basic.outbox.size = 64M
# what is collected
task.jobs = static,usage,process,conns
task.static.interval = 10s
task.usage.interval = 2s
task.process.interval = 3s
task.process.qps_limit = 200
task.conns.qps_limit = 500
task.conns.allow = tcp,udp,unix
`

	propertiesText = `# who this agent is; the server gives it a name when this is empty
basic.id = agent-20261120-6f51bedf71994cff
# address of the server
basic.server = 192.0.2.10:13081
# where the log goes
basic.log.target = stdout;file
basic.log.dir = /opt/example-agent/logs
# size of a log file before the next one is started
basic.log.size = 10000000
basic.log.rotate = 7
basic.log.level = info
# the agent reports on itself
basic.monitor.enabled = true
basic.monitor.interval = 30s
# 100 is one core
basic.limit.cpu_quota = 100
basic.limit.memory_limit = 512000000
basic.reconnect.spread = 3s
basic.tls.enabled = true
basic.tls.ca = /etc/agent/ca.pem
basic.tls.cert = /etc/agent/cert.pem
basic.tls.key = /etc/agent/key.pem
# what the server has not taken yet
basic.outbox.dir = /var/lib/agent/outbox
basic.outbox.size = 64000000
# what is collected
task.jobs = static;usage;process;conns
task.static.interval = 10s
task.usage.interval = 2s
task.process.interval = 3s
task.process.qps_limit = 200
task.conns.qps_limit = 500
task.conns.allow = tcp;udp;unix
`

	tomlText = `[basic]
# who this agent is; the server gives it a name when this is empty
id = "agent-20261120-6f51bedf71994cff"
# address of the server
server = "192.0.2.10:13081"

[basic.log]
# where the log goes
target = ["stdout", "file"]
dir = "/opt/example-agent/logs"
# size of a log file before the next one is started
size = 10000000
rotate = 7
level = "info"

[basic.monitor]
# the agent reports on itself
enabled = true
interval = "30s"

[basic.limit]
# 100 is one core
cpu_quota = 100
memory_limit = 512000000

[basic.reconnect]
spread = "3s"

[basic.tls]
enabled = true
ca = "/etc/agent/ca.pem"
cert = "/etc/agent/cert.pem"
key = "/etc/agent/key.pem"

[basic.outbox]
# what the server has not taken yet
dir = "/var/lib/agent/outbox"
size = 64000000

[task]
# what is collected
jobs = ["static", "usage", "process", "conns"]

[task.static]
interval = "10s"

[task.usage]
interval = "2s"

[task.process]
interval = "3s"
qps_limit = 200

[task.conns]
qps_limit = 500
allow = ["tcp", "udp", "unix"]
`

	iniText = `[basic]
# who this agent is; the server gives it a name when this is empty
id = agent-20261120-6f51bedf71994cff
# address of the server
server = 192.0.2.10:13081

[basic.log]
# where the log goes
target = stdout,file
dir = /opt/example-agent/logs
# size of a log file before the next one is started
size = 10000000
rotate = 7
level = info

[basic.monitor]
# the agent reports on itself
enabled = true
interval = 30s

[basic.limit]
# 100 is one core
cpu_quota = 100
memory_limit = 512000000

[basic.reconnect]
spread = 3s

[basic.tls]
enabled = true
ca = /etc/agent/ca.pem
cert = /etc/agent/cert.pem
key = /etc/agent/key.pem

[basic.outbox]
# what the server has not taken yet
dir = /var/lib/agent/outbox
size = 64000000

[task]
# what is collected
jobs = static,usage,process,conns

[task.static]
interval = 10s

[task.usage]
interval = 2s

[task.process]
interval = 3s
qps_limit = 200

[task.conns]
qps_limit = 500
allow = tcp,udp,unix
`

	yamlText = `basic:
  # who this agent is; the server gives it a name when this is empty
  id: agent-20261120-6f51bedf71994cff
  # address of the server
  server: 192.0.2.10:13081
  log:
    # where the log goes
    target: [stdout, file]
    dir: /opt/example-agent/logs
    # size of a log file before the next one is started
    size: 10000000
    rotate: 7
    level: info
  monitor:
    # the agent reports on itself
    enabled: true
    interval: 30s
  limit:
    # 100 is one core
    cpu_quota: 100
    memory_limit: 512000000
  reconnect:
    spread: 3s
  tls:
    enabled: true
    ca: /etc/agent/ca.pem
    cert: /etc/agent/cert.pem
    key: /etc/agent/key.pem
  outbox:
    # what the server has not taken yet
    dir: /var/lib/agent/outbox
    size: 64000000
task:
  # what is collected
  jobs: [static, usage, process, conns]
  static:
    interval: 10s
  usage:
    interval: 2s
  process:
    interval: 3s
    qps_limit: 200
  conns:
    qps_limit: 500
    allow: [tcp, udp, unix]
`
)
