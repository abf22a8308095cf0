package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Certificates are those of an authority that nobody else knows, and of servers
// on 127.0.0.1 for which it vouches.
type Certificates struct{ dir string }

const (
	authorityFile   = "ca.pem"
	certificateFile = "server.pem"
	keyFile         = "server.key"
)

// NewCertificates makes an authority and a server's certificate. Their files last
// as long as the test.
func NewCertificates(tb TB) Certificates {
	tb.Helper()
	dir, err := os.MkdirTemp("", "gatefold-tls-")
	if err != nil {
		fatalf(tb, "making certificates: %v", err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := Certificates{dir}
	if err := c.make(); err != nil {
		fatalf(tb, "making certificates: %v", err)
	}
	return c
}

// CA returns the path of the authority's certificate, in PEM.
func (c Certificates) CA() string { return filepath.Join(c.dir, authorityFile) }

// Args returns the arguments for RedisServer with which a server and whoever it
// talks to use TLS and nothing else. Clients need no certificate of their own.
func (c Certificates) Args() []string {
	return []string{
		fmt.Sprintf("tls-ca-cert-file %q", c.CA()),
		fmt.Sprintf("tls-cert-file %q", filepath.Join(c.dir, certificateFile)),
		fmt.Sprintf("tls-key-file %q", filepath.Join(c.dir, keyFile)),
		"tls-auth-clients no", "tls-replication yes", "tls-cluster yes",
	}
}

func (c Certificates) make() error {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	if err := c.issue(authorityFile, ca, ca, &caKey.PublicKey, caKey); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Server of a test"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature,
		// Replicas and nodes of a cluster are clients of each other.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if err := c.issue(certificateFile, server, ca, &key.PublicKey, caKey); err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return c.write(keyFile, "PRIVATE KEY", der)
}

func (c Certificates) issue(name string, certificate, issuer *x509.Certificate, key *ecdsa.PublicKey, issuerKey *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, certificate, issuer, key, issuerKey)
	if err != nil {
		return err
	}
	return c.write(name, "CERTIFICATE", der)
}

func (c Certificates) write(name, kind string, der []byte) error {
	return os.WriteFile(filepath.Join(c.dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// trusting returns the configuration of a client that trusts the authority in the
// file, or none if there is no file.
func trusting(authority string) (*tls.Config, error) {
	if authority == "" {
		return nil, nil
	}
	text, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}
