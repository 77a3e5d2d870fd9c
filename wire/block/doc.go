// Package block turns pieces of files into what frames hold, and back: [wire.Block] is a marker and base64 of the bytes,
// as they are ("$0$"), compressed with gzip ("$1$") or with zstd ("$2$").
//
// Peers of the field write text with zstd and everything else as it is, and read all three. So does this package.
package block
