package store

import (
	"fmt"
	"sort"
	"sync"
)

// Sizes and folder shapes of mailboxes. The published planning mix spreads a
// mailbox over 60 folders by Zipf's law, apart from three: 8 % in the inbox, 25 %
// in Sent Items, 30 % in one archive folder. Mailboxes of 1,000, 10,000 and
// 100,000 items show what paging costs.

// sizeOf is the number of messages of the mailboxes of pair n.
func (c Config) sizeOf(n int) int {
	if len(c.Items) == 0 {
		return c.Messages
	}
	return c.Items[n%len(c.Items)]
}

// zipfShares are the folders of the Zipf shape that are none of the three large
// ones: two more well-known ones with the head of the distribution, then the own
// folders.
const (
	zipfFolders = 60
	zipfRest    = zipfFolders - 3
)

// zipfKey is the folder of a rank, from 0.
func zipfKey(rank int) Key {
	if rank == 0 {
		return DeletedFolder
	}
	return newKey(FolderSort, firstOwnFolder+uint64(rank-1))
}

// zipfBounds are the upper bounds of the ranks, in 1/1,000,000.
var zipfBounds = sync.OnceValue(func() []int {
	bounds := make([]int, zipfRest)
	sum := 0.0
	for i := range bounds {
		sum += 1 / float64(i+1)
	}
	at := 0.0
	for i := range bounds {
		at += 1 / float64(i+1) / sum
		bounds[i] = int(at * 1e6)
	}
	bounds[len(bounds)-1] = 1e6
	return bounds
})

// zipfFolder is the folder of the draws percent (below 100) and fine (below a million).
func zipfFolder(percent, fine int) Key {
	switch {
	case percent < 8:
		return InboxFolder
	case percent < 33:
		return SentFolder
	case percent < 63:
		return ArchiveFolder
	}
	bounds := zipfBounds()
	return zipfKey(min(sort.SearchInts(bounds, fine+1), len(bounds)-1))
}

// moreFolders adds the folders of the Zipf shape to the usual ones: half of them
// at the top, half below those.
func moreFolders(sec *mailSection) {
	names := [...]string{"Customer", "Kunde", "Проект", "顧客", "Dossier"}
	for i := len(ownFolders); i < zipfRest-1; i++ {
		k := newKey(FolderSort, firstOwnFolder+uint64(i))
		parent := RootFolder
		if i%2 == 1 {
			parent = newKey(FolderSort, firstOwnFolder+uint64(i%len(ownFolders)))
		}
		sec.folders[k] = &folder{Folder: Folder{Key: k, Parent: parent, Name: fmt.Sprintf("%s %02d", names[i%len(names)], i)}}
		sec.folders[parent].Children++
	}
}
