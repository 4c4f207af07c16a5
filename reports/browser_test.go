package reports_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/chromedp/cdproto/cdp"
)

// chromium finds a browser. Without one the test is skipped aloud, unless
// CUTOVER_REQUIRE_TOOLS says that it has to be there.
func chromium(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: -short, the page was not opened in a browser")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CUTOVER_REQUIRE_TOOLS") == "1" {
		t.Fatal("no Chromium found, and CUTOVER_REQUIRE_TOOLS asks for one")
	}
	t.Skip("SKIPPED: no Chromium found, the page was not opened in a browser")
	return ""
}

// browser starts one Chromium for a test and returns its context.
func browser(t *testing.T) context.Context {
	t.Helper()
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // starts it; every page opens as a tab
		t.Fatal(err)
	}
	return ctx
}

// witness notes what a page must not do: speak on the console, or ask the
// network for anything but itself.
type witness struct {
	mu       sync.Mutex
	page     string
	noticed  []string
	requests int
}

func (w *witness) listen(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		w.noticed = append(w.noticed, "console: "+e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		w.noticed = append(w.noticed, fmt.Sprintf("console call: %s", e.Type))
	case *runtime.EventExceptionThrown:
		w.noticed = append(w.noticed, "exception: "+e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		w.requests++
		if e.Request.URL != w.page && !strings.HasPrefix(e.Request.URL, "data:,") {
			w.noticed = append(w.noticed, "request: "+e.Request.URL)
		}
	}
}

func (w *witness) report(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.noticed {
		t.Error(n)
	}
	if w.requests == 0 {
		t.Error("the witness saw no request at all, not even the page's: it is blind")
	}
}

// open shows a page as somebody with that screen would see it.
func open(t *testing.T, ctx context.Context, file string, width int64, scheme string) (context.Context, *witness) {
	t.Helper()
	absolute, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{page: (&url.URL{Scheme: "file", Path: filepath.ToSlash(absolute)}).String()}
	tab, cancel := chromedp.NewContext(ctx, chromedp.WithListener(w.listen))
	t.Cleanup(cancel)
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	err = chromedp.Do(tab,
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			if _, err := cdp.Call(ctx, target, log.Enable, cdp.Empty{}); err != nil {
				return err
			}
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, media)
			return err
		}),
		chromedp.EmulateViewport(width, 900),
		chromedp.Navigate(w.page),
	)
	if err != nil {
		t.Fatal(err)
	}
	return tab, w
}

// screen keeps a picture when somebody wants to look: CUTOVER_SCREENS=DIR.
func screen(t *testing.T, tab context.Context, name string) {
	t.Helper()
	dir := os.Getenv("CUTOVER_SCREENS")
	if dir == "" {
		return
	}
	evaluate[bool](t, tab, `document.documentElement.classList.remove("opening"); true`)
	picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

func evaluate[T any](t *testing.T, tab context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(tab, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%.200s: %v", expression, err)
	}
	return v
}
