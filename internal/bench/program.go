package bench

// What is measured from outside: the program as a person starts it.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// demoCases is the size of the demonstration that the target is about.
const demoCases = 500

// settle is how long the program is left alone before its idle memory is read.
const settle = 10 * time.Second

const (
	whatReady  = "demo ready to click, 500 cases, first start"
	whatAgain  = "demo ready to click, 500 cases, second start"
	whatMemory = "memory at idle after inventing 500 cases"
	whatBinary = "the program's size"
)

// program starts the program's own demonstration twice.
func (r *run) program(ctx context.Context) error {
	if r.cfg.Program == "" {
		const why = "not measured: no program named"
		r.add(Row{What: whatReady, Unit: "s", Target: 5, Note: why})
		r.add(Row{What: whatAgain, Unit: "s", Target: 5, Note: why})
		r.add(Row{What: whatMemory, Unit: "MiB", Target: 150, Note: why})
		r.add(Row{What: whatBinary, Unit: "MiB", Target: 60, Note: why})
		return nil
	}
	if err := r.close(); err != nil { // its memory and files are no longer needed
		return err
	}
	memory := 0.0
	for _, what := range []string{whatReady, whatAgain} {
		d, err := r.startDemo(ctx, memory == 0)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		r.add(Row{What: what, Unit: "s", Target: 5, Measured: d.seconds, N: 1, Note: d.note})
		memory = max(memory, d.rss)
	}
	r.add(Row{What: whatMemory, Unit: "MiB", Target: 150, Measured: memory / mib, N: 1, Note: "resident, as the kernel counts it"})
	info, err := os.Stat(r.cfg.Program)
	if err != nil {
		return err
	}
	r.add(Row{What: whatBinary, Unit: "MiB", Target: 60, Measured: float64(info.Size()) / mib, N: 1})
	return nil
}

var opensAt = regexp.MustCompile(`http://[0-9.:]+`)

// started is how one start of the demonstration went.
type started struct {
	seconds float64 // until the first page was answered
	rss     float64 // bytes
	note    string
}

// startDemo measures until the first page is answered.
func (r *run) startDemo(ctx context.Context, wait bool) (started, error) {
	var d started
	cmd := exec.CommandContext(ctx, r.cfg.Program, "demo", "--data", filepath.Join(r.cfg.Scratch, "demo"), "--size", strconv.Itoa(demoCases), "--addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "BANYAN_DATABASE=", "BANYAN_KEYRING=", "BANYAN_KEY_FILE=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return d, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return d, err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	address, err := addressIn(out)
	if err != nil {
		return d, err
	}
	if d.note, err = answers(ctx, address); err != nil {
		return d, err
	}
	d.seconds = time.Since(began).Seconds()
	if wait {
		select {
		case <-ctx.Done():
			return d, ctx.Err()
		case <-time.After(settle):
		}
	}
	d.rss, err = resident(cmd.Process.Pid)
	return d, err
}

func addressIn(out io.Reader) (string, error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address := opensAt.FindString(lines.Text()); address != "" {
			return address, nil
		}
	}
	return "", errors.New("the demonstration ended without an address")
}

// answers waits for the first page: the address is printed when the port is
// open, and the page comes when the program serves it. It says in words when
// the answer is not the staff app's page.
func answers(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "the first page answered " + response.Status + " (is the staff app built into the program?)", nil
	}
	return "", nil
}

// resident reads a process's resident memory in bytes; 0 where the system
// does not say.
func resident(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb * 1024, err
		}
	}
	return 0, nil
}
