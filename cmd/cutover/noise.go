package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"cutover/harness/conform"
	"cutover/harness/result"
)

// noise are the flags about values that a side answers differently to itself.
type noise struct {
	file, learn string
}

func (n *noise) register(flags *pflag.FlagSet) {
	flags.StringVar(&n.file, "noise", "", "file of learned noise: differences of values at its places are overlooked until they expire")
	flags.StringVar(&n.learn, "learn-noise", "", "ask compared reads four times and write or update the file of learned noise")
}

// loadNoise reads what earlier runs learned, and warns of what has expired.
func (s *session) loadNoise() error {
	if learn := s.options.noise.learn; learn != "" { // not after an hour of asking
		if _, err := toLearn(learn); err != nil {
			return err
		}
	}
	name := s.options.noise.file
	if name == "" {
		return nil
	}
	file, err := readNoise(name)
	if err != nil {
		return err
	}
	var expired []conform.Learned
	s.learned, expired = file.At(s.started)
	for _, one := range expired {
		fmt.Fprintf(s.app.Stderr, "cutover: %s:%d: the noise at %s/%s %s was learned on %s and expired on %s: it is not used; --learn-noise learns it again\n",
			name, one.Pos.Line, one.Scenario, one.Step, one.Pointer, one.On, one.Expires)
	}
	return nil
}

func readNoise(name string) (*conform.NoiseFile, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usageError("`cutover run --learn-noise` writes one", "noise: %w", err)
	}
	return conform.ParseNoise(name, data)
}

// learn brings the file of learned noise up to date with what a run showed.
func (s *session) learn(r *result.Result) error {
	name := s.options.noise.learn
	if name == "" {
		return nil
	}
	file, err := toLearn(name)
	if err != nil {
		return err
	}
	file.Learn(r.Noise, s.started)
	if err := replaceFile(name, []byte(file.String())); err != nil {
		return usageError("", "--learn-noise: %w", err)
	}
	if !s.options.quiet {
		fmt.Fprintf(s.app.Stderr, "cutover: %d places of noise are learned in %s\n", len(file.Noise), name)
	}
	return nil
}

// toLearn reads the file that is to be updated, an empty one when there is none yet.
func toLearn(name string) (*conform.NoiseFile, error) {
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return &conform.NoiseFile{}, nil
	}
	return readNoise(name)
}

// replaceFile writes a file whole or not at all.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
