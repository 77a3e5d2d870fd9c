package conn

// RetryAfter reads a Retry-After header.
var RetryAfter = retryAfter
