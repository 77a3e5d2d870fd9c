// Package secretfile keeps secrets in files: made whole or not at all and for their owner alone, and read only if nobody
// else could have read them.
package secretfile
