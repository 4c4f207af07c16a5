package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// volatility is what lab.volatile asks for: properties that a side answers with another text every time, as
// servers do with counters, tokens and caches. It is no difference between two services but noise, and a
// comparison has to tell the two apart.
type volatility struct {
	onprem, cloud map[string]bool // property in lower case → its text stays what it is: steady
	served        atomic.Uint64
}

// parseVolatile reads SIDE:PROPERTY, SIDE being onprem, cloud or both; with =steady behind it the side
// answers another text than the other one, but always the same.
func parseVolatile(setting string) (*volatility, error) {
	v := &volatility{onprem: map[string]bool{}, cloud: map[string]bool{}}
	if setting == "" {
		return v, nil
	}
	for one := range strings.SplitSeq(setting, ",") {
		side, property, ok := strings.Cut(strings.TrimSpace(one), ":")
		property, how, given := strings.Cut(property, "=")
		known := map[string][]map[string]bool{"onprem": {v.onprem}, "cloud": {v.cloud}, "both": {v.onprem, v.cloud}}[side]
		if !ok || property == "" || known == nil || given && how != "steady" {
			return nil, fmt.Errorf("want SIDE:PROPERTY or SIDE:PROPERTY=steady, with the side onprem, cloud or both, got %q", one)
		}
		for _, properties := range known {
			properties[strings.ToLower(property)] = given
		}
	}
	return v, nil
}

// wrap puts the volatile properties of a side in front of its service.
func (v *volatility) wrap(side string, next http.Handler) http.Handler {
	properties := v.cloud
	if side == "onprem" {
		properties = v.onprem
	}
	if len(properties) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := &heldAnswer{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(held, r)
		body := held.body.Bytes()
		if held.status == http.StatusOK && strings.Contains(w.Header().Get("Content-Type"), "json") {
			body = v.stirred(body, properties)
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(held.status)
		_, _ = w.Write(body)
	})
}

// stirred is a JSON document with other texts at its volatile properties.
func (v *volatility) stirred(body []byte, properties map[string]bool) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var doc any
	if decoder.Decode(&doc) != nil {
		return body
	}
	v.stir(doc, properties)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(doc) != nil {
		return body
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func (v *volatility) stir(doc any, properties map[string]bool) {
	switch doc := doc.(type) {
	case []any:
		for _, child := range doc {
			v.stir(child, properties)
		}
	case map[string]any:
		for name, child := range doc {
			steady, volatile := properties[strings.ToLower(name)]
			switch {
			case volatile && steady:
				doc[name] = "steady"
			case volatile:
				doc[name] = fmt.Sprintf("answer %d", v.served.Add(1))
			default:
				v.stir(child, properties)
			}
		}
	}
}

// heldAnswer keeps a body back.
type heldAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader keeps the status.
func (h *heldAnswer) WriteHeader(status int) { h.status = status }

// Write keeps the body.
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }
