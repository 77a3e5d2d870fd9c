// Package tokens keeps the secrets with which people and programs call the API, and those with which hosts enrol.
//
// A token is a text such as jka_<id>_<secret>: the id finds its file, the secret has 256 bits of chance. The file holds
// the SHA-256 of the secret and never the secret; nothing slower is needed for what nobody can guess. The file is written
// once, by [Create]; that a token was used is appended to a file beside it, and that it was revoked is a third file. So
// one process can run the server and another make, list and revoke tokens, without a lock between them.
package tokens
