package manifest_test

import (
	"bytes"
	"context"
	"flag"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/jkstack/jkframe/v2/manifest"
	"github.com/jkstack/jkframe/v2/manifest/form"
)

var screenshot = flag.Bool("screenshot", false, "write docs/img/manifest-form.png")

// page is a form in a browser.
type page struct {
	t         *testing.T
	ctx       context.Context
	downloads string
	finished  chan string // names of downloads

	mu       sync.Mutex
	problems []string // what the browser complained about, and what it loaded from elsewhere
}

// openBrowser starts a browser, or skips the test where there is none.
func openBrowser(t *testing.T) *page {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIP: the form in a browser: there is no chromium")
	}
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // the browser's helpers may still write, which is no fault of the form
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1200, 900))
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(alloc)
	t.Cleanup(closeTab)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // waits until it has ended
	p := &page{t: t, ctx: ctx, downloads: t.TempDir(), finished: make(chan string, 10)}
	chromedp.ListenTarget(ctx, p.event)
	p.run(network.Enable(), log.Enable(), runtime.Enable(),
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(p.downloads).WithEventsEnabled(true))
	return p
}

func (p *page) event(ev any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme != "file" && u.Scheme != "data" && u.Scheme != "blob" {
			p.problems = append(p.problems, "request of "+e.Request.URL)
		}
	case *log.EventEntryAdded:
		p.problems = append(p.problems, "log: "+e.Entry.Text+" "+e.Entry.URL)
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, "exception: "+e.ExceptionDetails.Error())
	case *browser.EventDownloadProgress:
		if e.State == browser.DownloadProgressStateCompleted {
			p.finished <- e.GUID
		}
	}
}

func (p *page) run(actions ...chromedp.Action) {
	p.t.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// open shows the form of a manifest.
func (p *page) open(m *manifest.Manifest, o *form.PageOptions) {
	p.t.Helper()
	var b bytes.Buffer
	if err := form.WritePage(&b, m, o); err != nil {
		p.t.Fatal(err)
	}
	name := filepath.Join(p.t.TempDir(), "form.html")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.run(chromedp.Navigate("file://"+filepath.ToSlash(name)), chromedp.WaitReady("#form .field"))
}

// eval gives the value of an expression of JavaScript.
func eval[T any](p *page, expr string) T {
	p.t.Helper()
	var v T
	p.run(chromedp.Evaluate(expr, &v))
	return v
}

// field is a selector of something in the field of a setting.
func field(key, inner string) string { return `[data-key="` + key + `"] ` + inner }

func (p *page) visible(key string) bool {
	return eval[bool](p, `!document.querySelector('[data-key="`+key+`"]').hidden`)
}

func (p *page) errorAt(key string) string {
	return eval[string](p, `document.querySelector('[data-key="`+key+`"] .error').textContent`)
}

func (p *page) conf() string { return eval[string](p, `document.getElementById("conf").textContent`) }

// fill replaces the text of an input.
func (p *page) fill(selector, text string) {
	p.t.Helper()
	if text == "" {
		text = kb.Backspace
	}
	p.run(chromedp.QueryAfter(selector, func(ctx context.Context, _ runtime.ExecutionContextID, nodes ...*cdp.Node) error {
		return chromedp.Evaluate(`document.querySelector('`+selector+`').select()`, nil).Do(ctx)
	}, chromedp.ByQuery), chromedp.SendKeys(selector, text, chromedp.ByQuery))
}

func (p *page) click(selector string) {
	p.t.Helper()
	p.run(chromedp.Click(selector, chromedp.ByQuery))
}

// download clicks the button and gives the file.
func (p *page) download() string {
	p.t.Helper()
	p.click("#download")
	select {
	case <-p.finished:
	case <-p.ctx.Done():
		p.t.Fatal(p.ctx.Err())
	}
	files, err := os.ReadDir(p.downloads)
	if err != nil || len(files) != 1 {
		p.t.Fatalf("%d files, %v", len(files), err)
	}
	name := filepath.Join(p.downloads, files[0].Name())
	data, err := os.ReadFile(name)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

func (p *page) checkQuiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.problems) > 0 {
		p.t.Errorf("the browser says:\n%s", strings.Join(p.problems, "\n"))
	}
}

func metrics(t *testing.T) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Load(read(t, testdata+"metrics/manifest.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// written is what Go makes of the values that were filled in.
func written(t *testing.T, m *manifest.Manifest, values map[string]any, lang string) string {
	t.Helper()
	e := m.Evaluate(values)
	text, err := m.WriteConf(nil, e, lang)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// An operator opens the form of the metrics agent, fills it in, sees fields vanish and errors come and go, and downloads the very
// file that the command line would have made.
func TestFormInBrowser(t *testing.T) {
	m := metrics(t)
	p := openBrowser(t)
	p.open(m, nil)

	if got, want := p.conf(), written(t, m, nil, "zh"); got != want {
		t.Errorf("the file of the defaults is\n%s\nwant\n%s", got, want)
	}
	if *screenshot {
		p.screenshot()
	}

	// A member that is not chosen takes its settings away, and brings them back as they were.
	p.fill(field("task.conns.qps_limit", "input"), "600")
	for _, key := range []string{"task.conns.interval", "task.conns.qps_limit", "task.conns.allow"} {
		if !p.visible(key) {
			t.Errorf("%s is hidden", key)
		}
	}
	p.click(field("task.jobs", `input[value="conns"]`))
	if p.visible("task.conns.interval") || p.visible("task.conns.qps_limit") || p.visible("task.conns.allow") || strings.Contains(p.conf(), "task.conns") {
		t.Errorf("without the job its settings are still there:\n%s", p.conf())
	}
	p.click(field("task.jobs", `input[value="conns"]`))
	if !strings.Contains(p.conf(), "task.conns.qps_limit = 600\n") {
		t.Errorf("what was filled in is lost:\n%s", p.conf())
	}
	p.click(field("basic.log.target", `input[value="file"]`))
	p.click(field("basic.monitor.enabled", "input"))
	for _, key := range []string{"basic.log.dir", "basic.log.size", "basic.log.rotate", "basic.monitor.interval"} {
		if p.visible(key) {
			t.Errorf("%s is shown", key)
		}
	}

	// Errors stand at the field while one types, and the file cannot be had.
	for _, tt := range []struct{ selector, key, wrong, right string }{
		{field("task.usage.interval", "input"), "task.usage.interval", "soon", "2"},
		{field("task.usage.interval", "input"), "task.usage.interval", "10ms", "2"},
		{field("task.process.qps_limit", "input"), "task.process.qps_limit", "0", "100"},
		{field("task.process.qps_limit", "input"), "task.process.qps_limit", "-1", "100"},
		{field("task.process.qps_limit", "input"), "task.process.qps_limit", "1.5", "100"},
		{field("basic.server", "input.port"), "basic.server", "70000", "13081"},
		{field("basic.server", "input.host"), "basic.server", "256.1.1.1", "192.0.2.10"},
		{field("basic.id", "input"), "basic.id", "a b", "metrics-01"},
		{field("basic.id", "input"), "basic.id", "", "metrics-01"},
		{field("task.zone", "input"), "task.zone", "Ü-1", "North-12"},
		{field("task.zone", "input"), "task.zone", "north#1", "North-12"},
		{field("basic.limit.memory_limit", "input"), "basic.limit.memory_limit", "31M", "64"},
	} {
		p.fill(tt.selector, tt.wrong)
		if p.errorAt(tt.key) == "" {
			t.Errorf("%s: %q is no error", tt.key, tt.wrong)
		}
		if !eval[bool](p, `document.getElementById("status").classList.contains("bad")`) {
			t.Errorf("%s: %q: the form says that all is well", tt.key, tt.wrong)
		}
		p.fill(tt.selector, tt.right)
		if got := p.errorAt(tt.key); got != "" {
			t.Errorf("%s: %q: %s", tt.key, tt.right, got)
		}
	}

	// The unit, and the exact count of bytes beside it.
	p.run(chromedp.SetValue(field("basic.limit.memory_limit", "select"), "GiB", chromedp.ByQuery))
	p.run(chromedp.Evaluate(`document.querySelector('[data-key="basic.limit.memory_limit"] select').dispatchEvent(new Event("input", { bubbles: true }))`, nil))
	p.fill(field("basic.limit.memory_limit", "input"), "1.5")
	if got := eval[string](p, `document.querySelector('[data-key="basic.limit.memory_limit"] output').textContent`); got != "= 1,610,612,736 字节" {
		t.Errorf("1.5 GiB is shown as %q", got)
	}

	// Tags, with the keyboard.
	p.run(chromedp.SendKeys(field("task.labels", "input"), "web, db,"+"x"+kb.Enter+"y"+kb.Enter+kb.Backspace, chromedp.ByQuery))

	values := map[string]any{
		"basic.id": "metrics-01", "basic.server": "192.0.2.10:13081", "basic.log.target": []any{"stdout"}, "basic.monitor.enabled": false,
		"basic.limit.memory_limit": "1.5GiB", "task.conns.qps_limit": "600", "task.usage.interval": "2s", "task.process.qps_limit": "100",
		"task.zone": "North-12", "task.labels": []any{"web", "db", "x"},
		"basic.log.dir": "never written", "basic.monitor.interval": "never written",
	}
	want := written(t, m, values, "zh")
	if got := p.download(); got != want {
		t.Errorf("downloaded:\n%s\nwant:\n%s", got, want)
	}
	for _, f := range m.ParseConf([]byte(want), nil).Findings {
		if f.Severity > manifest.Info {
			t.Errorf("the file: %s", f.String())
		}
	}

	// In the other language it is the same file with other comments.
	p.click("#language")
	if got := p.conf(); got != written(t, m, values, "en") {
		t.Errorf("in English:\n%s", got)
	}
	if got := eval[string](p, `document.querySelector('[data-key="basic.server"] label').textContent`); !strings.HasPrefix(got, "Server address") {
		t.Errorf("the label is %q", got)
	}
	p.click("#reset")
	if got := p.conf(); got != written(t, m, nil, "en") {
		t.Errorf("after a reset:\n%s", got)
	}
	p.checkQuiet()
}

// While a value is wrong there is no file: the button goes to the field instead.
func TestNoFileWithErrors(t *testing.T) {
	m, err := manifest.Load([]byte("- { key: a, type: string, name: { zh: N }, desc: { zh: D }, required: false }\n- { key: b, type: int, name: { zh: N }, desc: { zh: D }, required: true }\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := openBrowser(t)
	p.open(m, &form.PageOptions{Lang: "en", Title: `</script><b>"title"`, File: "b.conf"})
	if got := eval[string](p, `document.getElementById("title").textContent`); got != `</script><b>"title"` {
		t.Errorf("the title is %q", got)
	}
	if p.errorAt("b") != "" {
		t.Error("an empty form scolds before anything was typed")
	}
	p.click("#download")
	if got := p.errorAt("b"); got != "required" {
		t.Errorf("the error is %q", got)
	}
	if got := eval[string](p, `document.activeElement.closest(".field").dataset.key`); got != "b" {
		t.Errorf("the field %q has the focus", got)
	}
	p.fill(field("b", "input"), "5")
	if got := p.download(); got != "# N\n# D\nb = 5\n" && got != "# N\n# D\na =\n\n# N\n# D\nb = 5\n" {
		t.Errorf("got %q", got)
	}
	p.checkQuiet()
}

// The form is used with the keyboard alone, fits a phone, and is dark where everything is.
func TestFormForEverybody(t *testing.T) {
	p := openBrowser(t)
	p.open(metrics(t), &form.PageOptions{Lang: "en"})

	p.run(chromedp.Focus(field("basic.monitor.enabled", "input"), chromedp.ByQuery), chromedp.KeyEvent(" "))
	if p.visible("basic.monitor.interval") {
		t.Error("the blank key does not turn the switch")
	}
	reached := eval[int](p, `[...document.querySelectorAll("input, select, button, pre")].filter((e) => e.tabIndex === 0 && e.checkVisibility()).length`)
	all := eval[int](p, `[...document.querySelectorAll("input, select, button, pre")].filter((e) => e.checkVisibility()).length`)
	if reached != all || all < 30 {
		t.Errorf("the keyboard reaches %d of %d controls", reached, all)
	}
	unnamed := eval[int](p, `[...document.querySelectorAll("input, select")].filter((e) => e.labels.length === 0 && !e.getAttribute("aria-label")).length`)
	if unnamed != 0 {
		t.Errorf("%d controls have no name", unnamed)
	}

	light := eval[string](p, `getComputedStyle(document.body).backgroundColor`)
	p.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	if dark := eval[string](p, `getComputedStyle(document.body).backgroundColor`); dark == light {
		t.Errorf("in the dark the page is %s as well", dark)
	}

	p.run(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	if width := eval[int](p, `document.documentElement.scrollWidth`); width > 360 {
		t.Errorf("on a phone the page is %d pixels wide", width)
	}
	small := eval[[]string](p, `[...document.querySelectorAll("button, select, input[type=text]")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 32).map((e) => e.outerHTML)`)
	if len(small) > 0 {
		t.Errorf("too small for a finger: %q", small)
	}
	p.checkQuiet()
}

// screenshot writes the picture of the README.
func (p *page) screenshot() {
	var png []byte
	p.run(chromedp.EmulateViewport(1100, 760), chromedp.CaptureScreenshot(&png), chromedp.EmulateViewport(1200, 900))
	if err := os.WriteFile(filepath.FromSlash("../../docs/img/manifest-form.png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
