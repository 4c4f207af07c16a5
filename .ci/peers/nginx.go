package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// nginx is the server under every throughput case: one worker on one processor,
// configured as Debian ships it but for the limits on kept connections.
type nginx struct {
	cmd                      *exec.Cmd
	dir                      string
	plain, tls, h2, counters string // URLs
	ca                       string // PEM file
}

const configuration = `
worker_processes 1;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
  sendfile on;
  tcp_nopush on;
  access_log off;
  keepalive_requests 2000000000;
  keepalive_timeout 300;
  types { application/json json; }
  default_type application/json;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  ssl_certificate %[1]s/cert.pem;
  ssl_certificate_key %[1]s/key.pem;
  ssl_protocols TLSv1.3;
  root %[1]s/www;
  server { listen %[2]s; }
  server { listen %[3]s ssl; }
  server { listen %[4]s ssl http2; }
  server { listen %[5]s; location / { stub_status; } }
}
`

// startNginx writes the configuration, the certificate and the page into dir and
// starts the server pinned to processor 0.
func startNginx(dir string) (*nginx, error) {
	www := filepath.Join(dir, "www")
	if err := os.MkdirAll(www, 0o755); err != nil {
		return nil, err
	}
	if err := errors.Join(certificate(dir), os.WriteFile(filepath.Join(www, "page.json"), page(), 0o644), os.WriteFile(filepath.Join(www, "index.html"), []byte("{}"), 0o644)); err != nil {
		return nil, err
	}
	var at [4]string
	for i := range at {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		at[i] = l.Addr().String()
		l.Close()
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, configuration, dir, at[0], at[1], at[2], at[3]), 0o644); err != nil {
		return nil, err
	}
	n := &nginx{dir: dir, plain: "http://" + at[0], tls: "https://" + at[1], h2: "https://" + at[2], counters: "http://" + at[3] + "/", ca: filepath.Join(dir, "cert.pem")}
	n.cmd = exec.Command("taskset", "-c", "0", "/usr/sbin/nginx", "-c", file, "-p", dir)
	n.cmd.Stderr = os.Stderr
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if _, err := n.requests(); err == nil {
			return n, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	n.stop()
	return nil, errors.New("nginx does not answer")
}

func (n *nginx) stop() {
	n.cmd.Process.Signal(syscall.SIGTERM)
	n.cmd.Wait()
}

// requests is how many requests the server counted so far, this one excluded.
func (n *nginx) requests() (int, error) {
	resp, err := http.Get(n.counters)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	// The third line holds accepted connections, handled ones, and requests.
	lines := strings.Split(string(text), "\n")
	if len(lines) < 3 {
		return 0, fmt.Errorf("stub_status says %q", text)
	}
	fields := strings.Fields(lines[2])
	total, err := strconv.Atoi(fields[len(fields)-1])
	return total, err
}

// page is a message list of 4,447 bytes, as Graph would answer.
func page() []byte {
	var b strings.Builder
	b.WriteString(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users('ann')/messages","value":[`)
	for i := range 7 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"@odata.etag":"W/\"CQAAABYAAAD%02d\"","id":"AAMkAGI2TG93AAA%02d=","receivedDateTime":"2024-05-%02dT08:30:00Z","subject":"Agenda of week %d","isRead":false,"importance":"normal","from":{"emailAddress":{"name":"Ann Example","address":"ann@contoso.example"}},"bodyPreview":"`, i, i, i+1, i)
		b.WriteString(strings.Repeat("Hello all, ", 22) + `"}`)
	}
	const size = 4447
	rest := size - b.Len() - len(`],"pad":""}`)
	b.WriteString(`],"pad":"` + strings.Repeat("x", max(0, rest)) + `"}`)
	return []byte(b.String())
}

// certificate writes a self-signed P-256 certificate for 127.0.0.1.
func certificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, der []byte) error {
		return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	}
	return errors.Join(write("cert.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", private))
}
