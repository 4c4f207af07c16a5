(() => {
  "use strict";
  // While the page opens, what is below the first screen is not laid out. That ends as soon as the
  // browser has nothing else to do, or a jump wants every place where it belongs.
  const open = () => document.documentElement.classList.remove("opening");
  if (location.hash) open(); else (window.requestIdleCallback || setTimeout)(open);
  document.querySelectorAll("a[href^='#']").forEach(a => a.addEventListener("click", open));
  const data = JSON.parse(document.getElementById("data").textContent);
  const make = (tag, cls) => { const e = document.createElement(tag); if (cls) e.className = cls; return e; };
  const number = v => v === 0 ? "0" : Math.abs(v) >= 1000 ? Math.round(Number(v.toPrecision(3))).toLocaleString("en") : Number(v.toPrecision(3)).toString();
  const groups = new Map();

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.data = data[figure.dataset.chart];
      this.plot = figure.querySelector(".plot");
      this.inner = figure.querySelector("svg.in");
      this.box = this.inner.getAttribute("viewBox").split(" ").map(Number);
      this.from = 0;
      this.to = 100;
      this.hidden = new Set();
      this.peers = [this];
      this.cross = make("div", "cross");
      this.read = make("div", "read");
      this.read.setAttribute("aria-live", "polite");
      this.plot.append(this.cross, this.read);
      this.plot.tabIndex = 0;
      this.plot.setAttribute("role", "group");
      this.plot.setAttribute("aria-label", figure.querySelector(".title").textContent + ": arrow keys read the values");
      this.clear();
      this.legend();
      this.listen();
    }
    legend() {
      this.figure.querySelectorAll(".legend .key").forEach(key => {
        const button = make("button", key.className);
        button.type = "button";
        button.textContent = key.textContent;
        button.setAttribute("aria-pressed", "true");
        button.addEventListener("click", () => {
          const i = Number(key.dataset.line), off = !this.hidden.has(i);
          if (off) this.hidden.add(i); else this.hidden.delete(i);
          button.setAttribute("aria-pressed", String(!off));
          this.inner.querySelector(`path[data-line="${i}"]`).classList.toggle("off", off);
          if (key.classList.contains("area")) {
            const side = key.classList.contains("left") ? "left" : "right";
            this.figure.querySelectorAll(".plot .mark." + side).forEach(m => m.classList.toggle("off", off));
          }
        });
        key.replaceWith(button);
      });
    }
    listen() {
      let down = null;
      const at = e => { const r = this.plot.getBoundingClientRect(); return Math.min(100, Math.max(0, (e.clientX - r.left) / r.width * 100)); };
      const real = f => this.from + f / 100 * (this.to - this.from);
      this.plot.addEventListener("pointermove", e => {
        if (down !== null) this.band(down, at(e));
        this.show(this.nearest(real(at(e))));
      });
      this.plot.addEventListener("pointerleave", () => { if (document.activeElement !== this.plot) this.clear(); });
      this.plot.addEventListener("pointerdown", e => {
        if (this.figure.dataset.group && e.pointerType === "mouse" && e.button === 0) { down = at(e); this.plot.setPointerCapture(e.pointerId); }
      });
      this.plot.addEventListener("pointerup", e => {
        if (down === null) return;
        const a = Math.min(down, at(e)), b = Math.max(down, at(e));
        down = null;
        this.band(0, 0);
        if (b - a > 2) { const from = real(a), to = real(b); this.peers.forEach(c => c.zoom(from, to)); }
      });
      this.plot.addEventListener("dblclick", () => this.peers.forEach(c => c.zoom(0, 100)));
      this.plot.addEventListener("blur", () => this.clear());
      this.plot.addEventListener("keydown", e => {
        const last = this.data.x.length - 1, now = this.index ?? this.nearest((this.from + this.to) / 2);
        const go = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last, PageUp: now - 10, PageDown: now + 10 }[e.key];
        if (go !== undefined) { this.show(Math.min(last, Math.max(0, go))); e.preventDefault(); }
        if (e.key === "Escape") { this.peers.forEach(c => c.zoom(0, 100)); this.clear(); }
        if (this.figure.dataset.group && (e.key === "+" || e.key === "-")) {
          const middle = this.data.x[now], half = (this.to - this.from) / 2 * (e.key === "+" ? .5 : 2);
          this.peers.forEach(c => c.zoom(Math.max(0, middle - half), Math.min(100, middle + half)));
        }
      });
    }
    nearest(f) {
      let best = 0;
      this.data.x.forEach((x, i) => { if (Math.abs(x - f) < Math.abs(this.data.x[best] - f)) best = i; });
      return best;
    }
    band(a, b) {
      if (!this.zone) { this.zone = make("div", "zone"); this.plot.append(this.zone); }
      this.zone.style.left = Math.min(a, b) + "%";
      this.zone.style.width = Math.abs(b - a) + "%";
    }
    show(i) { this.peers.forEach(c => c.draw(i)); }
    draw(i) {
      const f = (this.data.x[i] - this.from) / (this.to - this.from) * 100;
      this.index = i;
      this.cross.hidden = f < 0 || f > 100;
      this.cross.style.left = f + "%";
      this.read.hidden = this.cross.hidden;
      this.read.replaceChildren();
      const head = make("b");
      head.textContent = this.data.at[i];
      this.read.append(head);
      this.data.s.forEach((s, n) => {
        if (this.hidden.has(n)) return;
        const row = make("span", "key " + s.d + " area");
        row.textContent = s.n + " " + (s.v[i] < 0 ? "–" : number(s.v[i]) + " " + s.u);
        this.read.append(row);
      });
      this.read.style.left = f < 50 ? `calc(${f}% + 10px)` : "auto";
      this.read.style.right = f < 50 ? "auto" : `calc(${100 - f}% + 10px)`;
    }
    clear() { (this.peers || [this]).forEach(c => { c.cross.hidden = true; c.read.hidden = true; c.index = undefined; }); }
    zoom(from, to) {
      this.from = from;
      this.to = to;
      const width = to - from;
      this.inner.setAttribute("viewBox", `${from * 10} ${this.box[1]} ${width * 10} ${this.box[3]}`);
      this.plot.querySelectorAll("text[data-at]").forEach(t => {
        const f = (Number(t.dataset.at) - from) / width * 100;
        t.setAttribute("x", f + "%");
        t.classList.toggle("off", f < -1 || f > 101);
      });
      this.clear();
    }
  }

  const wake = figure => {
    if (figure.dataset.awake) return;
    figure.dataset.awake = "yes";
    const chart = new Chart(figure), group = figure.dataset.group;
    if (!group) return;
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(chart);
    groups.get(group).forEach(c => { c.peers = groups.get(group); });
  };
  document.querySelectorAll("figure.chart").forEach(figure => { // those that are folded away wake when they are shown
    const fold = figure.closest("details:not([open])");
    if (fold) fold.addEventListener("toggle", () => fold.querySelectorAll("figure.chart").forEach(wake), {once: true});
    else wake(figure);
  });
  document.querySelectorAll(".hint, .filter").forEach(e => { e.hidden = false; });

  const findings = [...document.querySelectorAll(".finding")];
  const find = document.getElementById("find"), found = document.getElementById("found"), all = document.getElementById("all");
  if (find && findings.length) {
    let texts;
    find.addEventListener("input", () => {
      texts ??= findings.map(f => { // with what its branch says for it
        const branch = f.closest(".branch"), head = branch ? [...branch.querySelectorAll(":scope > summary, :scope > .common")] : [];
        return [f, ...head].map(e => e.textContent).join(" ").toLowerCase();
      });
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      findings.forEach((f, i) => {
        const hit = words.every(w => texts[i].includes(w));
        f.classList.toggle("off", !hit);
        if (hit) shown++;
      });
      document.querySelectorAll(".branch").forEach(b => {
        b.classList.toggle("off", !b.querySelector(".finding:not(.off)"));
        b.open = words.length > 0;
      });
      document.querySelectorAll(".group").forEach(g => g.classList.toggle("off", !g.querySelector(".finding:not(.off)")));
      found.textContent = words.length ? `${shown} of ${findings.length}` : "";
    });
    all.addEventListener("click", () => {
      const open = all.textContent === "open all";
      document.querySelectorAll(".finding, .branch").forEach(f => { f.open = open; });
      all.textContent = open ? "close all" : "open all";
    });
  } else if (find) {
    find.closest(".filter").hidden = true;
  }
  const tree = document.querySelector(".tree");
  if (tree) tree.addEventListener("keydown", e => {
    const stops = [...tree.querySelectorAll("summary, a")].filter(s => s.checkVisibility());
    const at = stops.indexOf(e.target);
    if (at < 0) return;
    const fold = e.target.tagName === "SUMMARY" ? e.target.parentElement : null;
    const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: stops.length - 1 }[e.key];
    if (go !== undefined) stops[Math.min(stops.length - 1, Math.max(0, go))].focus();
    else if (e.key === "ArrowRight" && fold && !fold.open) fold.open = true;
    else if (e.key === "ArrowRight" && fold) stops[Math.min(stops.length - 1, at + 1)].focus();
    else if (e.key === "ArrowLeft" && fold && fold.open) fold.open = false;
    else if (e.key === "ArrowLeft") { const up = (fold ? fold.parentElement : e.target).closest("details"); if (up && tree.contains(up)) up.querySelector("summary").focus(); }
    else return;
    e.preventDefault();
  });
  const reveal = () => {
    const to = /^#f\d+$/.test(location.hash) && document.querySelector(location.hash);
    if (!to) return;
    for (let d = to; d; d = d.parentElement.closest("details")) d.open = true;
    to.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(d => { d.open = true; }));
})();
