package plan

import (
	"math/bits"
)

// maxBlock bounds the sum of the weights after their common divisor was taken
// out: one block of arrivals is laid out in memory.
const maxBlock = 100_000

// mix deals arrivals out to scenarios. A block of len(slots) consecutive
// arrivals holds each scenario exactly as often as its weight says.
type mix struct {
	slots []slot
	share []uint64 // slots of each scenario in one block
}

// slot is one place of a block: a scenario, and the how-manieth of its places it is.
type slot struct {
	scenario int
	rank     uint64
}

// newMix lays one block out, each scenario spread over it as evenly as its
// weight allows (smooth weighted round robin). ok is false when no weight is above
// zero or the block would be longer than maxBlock.
func newMix(weights []int) (m mix, ok bool) {
	divisor, sum := uint64(0), uint64(0)
	for _, w := range weights {
		divisor = gcd(divisor, uint64(w))
	}
	if divisor == 0 {
		return mix{}, false
	}
	m.share = make([]uint64, len(weights))
	for i, w := range weights {
		m.share[i] = uint64(w) / divisor
		sum += m.share[i]
	}
	if sum > maxBlock {
		return mix{}, false
	}
	credit := make([]int64, len(weights))
	dealt := make([]uint64, len(weights))
	for range sum {
		best := -1
		for i, s := range m.share {
			credit[i] += int64(s)
			if s > 0 && (best < 0 || credit[i] > credit[best]) {
				best = i
			}
		}
		credit[best] -= int64(sum)
		m.slots = append(m.slots, slot{best, dealt[best]})
		dealt[best]++
	}
	return m, true
}

// at returns the scenario of arrival n and its number among all arrivals of that
// scenario. The numbers of one scenario are 0, 1, 2 … without gaps or repetition over
// whole blocks, though not in the order of time.
func (m *mix) at(key, n uint64) (scenario int, occurrence uint64) {
	size := uint64(len(m.slots))
	block := n / size
	s := m.slots[shuffle(mixed(key, block, saltBlock), n%size, size)]
	return s.scenario, block*m.share[s.scenario] + s.rank
}

// shuffle maps 0…size-1 onto itself: x ↦ a·x + c modulo size, with a coprime to size
// and both drawn from key. It needs no table, so that any arrival can be asked for
// without those before it.
func shuffle(key, x, size uint64) uint64 {
	if size < 2 {
		return 0
	}
	a := 1 + key%(size-1)
	for gcd(a, size) != 1 {
		a = 1 + a%(size-1)
	}
	c := (key >> 32) % size
	return (mulMod(a, x, size) + c) % size
}

func mulMod(a, b, m uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return bits.Rem64(hi, lo, m)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Salts keep the uses of the one seed apart.
const (
	saltBlock uint64 = iota + 1
	saltMailbox
	saltOrder
	saltSample
	saltPayload
	saltOwner
	saltNoise
	saltFeed
	saltFixture
)

// mixed is a counter-based random number: the same three words give the same
// number on every machine, in any order of asking (splitmix64's finaliser over
// each word).
func mixed(seed, n, salt uint64) uint64 {
	h := scramble(seed + 0x9e3779b97f4a7c15)
	h = scramble(h ^ (n + 0x9e3779b97f4a7c15))
	return scramble(h ^ (salt * 0xd1342543de82ef95))
}

func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hashText is mixed over the bytes of a name (FNV-1a, then scrambled).
func hashText(seed uint64, text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return mixed(seed, h, saltOwner)
}
