package canon

import (
	"encoding/binary"
	"math/bits"
)

// Seeds keep equal bytes in different roles apart: the string "1", the number 1 and the name 1.
const (
	seedKey    = 0x9e3779b97f4a7c15
	seedString = 0xbf58476d1ce4e5b9
	seedNumber = 0x94d049bb133111eb
	seedArray  = 0xd6e8feb86659fd93
	seedObject = 0xa0761d6478bd642f
	seedMask   = 0xe7037ed1a0b428db
	prime1     = 0x8ebc6af09c88c6e3
	prime2     = 0x589965cc75374cc3
)

var (
	hashNull  = Hash{0x1d8e4e27c47d124f, 0xeb44accab455d165}
	hashTrue  = Hash{0x2d358dccaa6c78a5, 0x8bb84b93962eacc9}
	hashFalse = Hash{0x4b33a62ed433d4a3, 0x4d5a2da51de1aa47}
)

// mix folds two words into two: the halves of their product, crossed.
func mix(a, b uint64) (uint64, uint64) {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo, bits.RotateLeft64(a^lo, 29) ^ hi
}

// hashBytes digests b with its length, 16 bytes at a time.
func hashBytes(b []byte, seed uint64) Hash {
	x, y := seed^uint64(len(b))*prime1, seed^prime2
	for len(b) >= 16 {
		u, v := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		hi, lo := bits.Mul64(u^x, v^prime1)
		x ^= hi ^ lo
		y = bits.RotateLeft64(y, 23) ^ lo + v
		y *= prime2
		b = b[16:]
	}
	u, v := tail(b)
	hi, lo := bits.Mul64(u^x^prime1, v^y^prime2)
	x ^= hi
	y ^= lo
	return finish(x, y)
}

// tail reads up to 15 bytes into two words.
func tail(b []byte) (u, v uint64) {
	switch n := len(b); {
	case n >= 8:
		u = binary.LittleEndian.Uint64(b)
		v = binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		u = uint64(binary.LittleEndian.Uint32(b))
		v = uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		u = uint64(b[0])<<16 | uint64(b[n/2])<<8 | uint64(b[n-1])
	}
	return u, v
}

func finish(x, y uint64) Hash {
	x1, y1 := mix(x^prime1, y^seedKey)
	x2, y2 := mix(y1^prime2, x1^seedObject)
	return Hash{x1 ^ x2, y1 + y2}
}

// member joins a name and a value into a word pair that objects may add in any order.
func member(name, value Hash) Hash {
	a, b := mix(name.Hi^value.Lo^seedObject, name.Lo^prime1)
	c, d := mix(value.Hi^a, value.Lo^b^prime2)
	return Hash{a ^ d, b + c}
}

// element folds the next element into an array's running hash.
func element(running, value Hash) Hash {
	a, b := mix(running.Hi^value.Hi, running.Lo^seedArray)
	return Hash{a ^ bits.RotateLeft64(value.Lo, 17), b*prime1 + value.Lo}
}
