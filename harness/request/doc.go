// Package request holds what an adapter makes of one step: a template that is prepared once, in
// the path's own words, and built many times without allocating.
package request
