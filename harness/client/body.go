package client

import (
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
)

// bodyStep is how far a body's buffer grows at first; it doubles from there.
// It is never grown by what the server merely announces.
const bodyStep = 16 << 10

// readAll appends what r gives to dst, up to limit bytes in all; more is
// errTooLarge. What was read is returned also with an error.
func readAll(dst []byte, r io.Reader, limit int64) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(bodyStep, len(dst)))
		}
		room := dst[len(dst):cap(dst)]
		if left := limit + 1 - int64(len(dst)); int64(len(room)) > left {
			room = room[:left]
		}
		n, err := r.Read(room)
		dst = dst[:len(dst)+n]
		if int64(len(dst)) > limit {
			return dst[:limit], errTooLarge
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

func isGzip(encoding string) bool {
	return strings.EqualFold(encoding, "gzip") || strings.EqualFold(encoding, "x-gzip")
}

// unzipper is a reusable gzip reader; it holds 40 KiB.
type unzipper struct {
	gzip.Reader
	source faithful
}

var unzippers = sync.Pool{New: func() any { return new(unzipper) }}

// gunzip appends the decompressed body to dst, up to limit bytes in all. An
// empty body is no error, as servers send one with 304 and the like.
func gunzip(dst []byte, r io.Reader, limit int64) ([]byte, error) {
	z := unzippers.Get().(*unzipper)
	defer unzippers.Put(z)
	z.source = faithful{r: r}
	err := z.Reset(&z.source)
	if err == nil {
		dst, err = readAll(dst, z, limit)
	}
	below := z.source
	z.source.r = nil
	switch {
	case err == nil, err == io.EOF && below.n == 0:
		return dst, nil
	case below.err != nil && below.err != io.EOF:
		return dst, below.err
	case errors.Is(err, errTooLarge):
		return dst, err
	}
	return dst, malformed("gzip: %w", err)
}

// faithful remembers the error of the reader below a decoder, to tell a broken
// connection from broken compression.
type faithful struct {
	r   io.Reader
	n   int64
	err error
}

// Read reads and remembers.
func (f *faithful) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	f.n += int64(n)
	f.err = err
	return n, err
}
