// Package identity is how an agent knows its server, and how the server knows it: whom it trusts, the key that it has made,
// the certificate that it got for it, and how it gets the next one.
//
// A [Folder] holds what must last: agent.pem with key and certificate in one file, so that one is never without the other,
// and ca.pem with the certificates by which the server is known. A [Trust] decides about a server that shows its
// certificate, and a [Client] asks it for certificates.
package identity
