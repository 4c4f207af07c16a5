package onprem

import (
	"encoding/binary"
	"math/bits"
)

// md4 is RFC 1320's digest, which NTLM makes of a password. It protects nothing
// today; the protocol has no other.
func md4(message []byte) [16]byte {
	padded := append([]byte{}, message...)
	padded = append(padded, 0x80)
	for len(padded)%64 != 56 {
		padded = append(padded, 0)
	}
	padded = binary.LittleEndian.AppendUint64(padded, uint64(len(message))*8)
	state := [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	for ; len(padded) > 0; padded = padded[64:] {
		var x [16]uint32
		for i := range x {
			x[i] = binary.LittleEndian.Uint32(padded[4*i:])
		}
		state = md4Block(state, x)
	}
	var out [16]byte
	for i, v := range state {
		binary.LittleEndian.PutUint32(out[4*i:], v)
	}
	return out
}

// rounds: the constant, the order of the words and the rotations of each.
var md4Rounds = [3]struct {
	add    uint32
	order  [16]int
	rotate [4]int
	mix    func(x, y, z uint32) uint32
}{
	{0, [16]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, [4]int{3, 7, 11, 19},
		func(x, y, z uint32) uint32 { return x&y | ^x&z }},
	{0x5a827999, [16]int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}, [4]int{3, 5, 9, 13},
		func(x, y, z uint32) uint32 { return x&y | x&z | y&z }},
	{0x6ed9eba1, [16]int{0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}, [4]int{3, 9, 11, 15},
		func(x, y, z uint32) uint32 { return x ^ y ^ z }},
}

func md4Block(state [4]uint32, x [16]uint32) [4]uint32 {
	a, b, c, d := state[0], state[1], state[2], state[3]
	for _, round := range md4Rounds {
		for i, word := range round.order {
			a = bits.RotateLeft32(a+round.mix(b, c, d)+x[word]+round.add, round.rotate[i%4])
			a, b, c, d = d, a, b, c
		}
	}
	return [4]uint32{state[0] + a, state[1] + b, state[2] + c, state[3] + d}
}
