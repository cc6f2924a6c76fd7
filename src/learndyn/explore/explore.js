/* The figures of `learndyn.explore` in a browser: one classic script for all of them, without dependencies.

   learndynExplore.mount(element, spec, compute)   puts a figure into an element: controls, panels (SVG), summary
   learndynExplore.start(root)                     mounts every figure that a page holds; runs by itself
   learndynExplore.live({model, el})               a figure whose numbers come from a kernel, by anywidget
   learndynExplore.figures                         {id: compute}, filled by the pages' own scripts, before or after this one

   `compute(...values)` gives {key: {shape, data}} or a promise of it; where the numbers come from (compiled JAX, a table, a
   kernel) is all that differs.  A move of a slider runs compute and rewrites attributes of nodes that are there already: an
   update measures nothing and creates hardly anything. */
(() => {
  "use strict";
  const api = self.learndynExplore = self.learndynExplore || {};
  if (api.mount) return api.start(); // loaded twice: the first one stays

  const { abs, ceil, floor, hypot, log10, max, min, round } = Math, finite = Number.isFinite, now = () => performance.now();
  const clamp = (value, low, high) => min(max(value, low), high);
  const range = (count, make) => Array.from({ length: count }, (_, i) => make(i));
  const product = shape => shape.reduce((a, b) => a * b, 1);
  const join = (list, write) => list.map(write).join("");
  const on = (node, name, react) => node.addEventListener(name, react);
  const mute = { "aria-hidden": true }; // for what a screen reader is told in other words

  // -------------------------------------------------------------------------------- elements

  /** Attributes are written only where they change: most nodes of most updates stay as they are. */
  function put(node, given) {
    const memo = node.memo = node.memo || {};
    for (const name in given) if (memo[name] !== given[name]) node.setAttribute(name, memo[name] = given[name]);
    return node;
  }
  /** An element of HTML or SVG; "p.error" is a p of the class explore-error. */
  function make(kind, given, ...children) {
    const [tag, style] = kind.split("."), svg = /^(svg|g|path|text|tspan)$/.test(tag);
    const node = put(svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag), given);
    if (style) put(node, { class: "explore-" + style });
    node.append(...children);
    return node;
  }
  const div = (style, ...children) => make("div." + style, {}, ...children);
  /** A label of the spec is HTML already: escaped text with MathML. */
  function rich(node, label) {
    if (node.label !== label) node.innerHTML = node.label = label;
    return node;
  }
  function write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  // -------------------------------------------------------------------------------- numbers as text

  /** 1.2e-5 becomes 1.2×10⁻⁵, with true minus signs. */
  const pretty = text => String(text)
    .replace(/e\+?(-?)(\d+)/, (_, sign, digits) => "×10" + (sign && "⁻") + digits.replace(/\d/g, c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))
    .replace("-", "−");

  /** Python's format of a number, for the formats that a summary may use: .Nf .Ne .Ng d. */
  function format(value, code) {
    if (!finite(value)) return isNaN(value) ? "undefined" : "infinite";
    const digits = +code.slice(1, -1), kinds = { d: round, f: v => v.toFixed(digits), e: v => v.toExponential(digits) };
    const kind = kinds[code.slice(-1)];
    if (kind) return pretty(kind(value));
    const figures = digits || 1, [mantissa, power] = value.toExponential(figures - 1).split("e");
    return pretty(power < -4 || power >= figures ? +mantissa + "e" + power : +value.toPrecision(figures));
  }

  const decimals = number => (String(number).split(".")[1] || "").length;
  /** A slider's value as text: as fine as its steps; on a logarithmic track, or with tiny steps, three digits. */
  const print = ({ log, low, step, value }, v) => pretty(!log && step > 1e-4
    ? v.toFixed(max(min(3, decimals(value)), min(decimals(step), ceil(1 - log10(step)))))
    : v > 999 && v < 1e5 || log && low % 1 + (10 ** step + 1e-9) % 1 < 1e-8 ? round(v) : v.toPrecision(3)); // 4, 8, 16, …

  // -------------------------------------------------------------------------------- axes

  const LARGE = 1e150; // what is larger counts as infinite, because its square is

  /** The interval that holds the numbers seen, how many there were, and how many of them infinite. */
  const extent = () => ({ low: Infinity, high: -Infinity, infinite: 0, count: 0 });
  function see(seen, data, log) {
    for (const v of data) {
      seen.count++;
      if (abs(v) > LARGE) seen.infinite++;
      else if (v > (log ? 1 / LARGE : -LARGE)) {
        seen.low = min(seen.low, v);
        seen.high = max(seen.high, v);
      } else if (v < 1) seen.under = 1; // a number, but none for a logarithmic axis
    }
    return seen;
  }
  /** What a panel says quietly when numbers are missing from it. */
  const quiet = ({ low, high, infinite, count, under }) =>
    !count ? "no data" : infinite ? "diverges" : low <= high ? "" : under ? "nothing above zero" : "undefined";

  /** The least of 1, 2, 5, 10, 20, … times a power of ten that is not below `least`. */
  function nice(least) {
    const unit = 10 ** floor(log10(least)), times = least / unit - 1e-9;
    return unit * [1, 2, 5, 10].find(m => times <= m);
  }

  /** An axis of `size` pixels with a tick about every `gap`: ticks [value, label], minor ticks, and the pixel `at` a value.
      Limits that are not `fixed` are rounded outwards to marks, so that the axis does not tremble while the data move.
      In a label "10^3" the exponent follows the caret. */
  function axis({ low, high }, fixed, log, size, gap, whole = 0) {
    const count = max(size / gap, 2), track = log ? log10 : Number;
    if (fixed) [low, high] = fixed;
    else if (!(low <= high)) [low, high] = [log ? 0.1 : 0, 1]; // nothing to fit
    else if (high - low <= 1e-9 * max(abs(low), abs(high))) { // constant but for rounding errors
      const around = abs(low) / (log ? 2 : 10) || 1;
      low -= around;
      high += around;
    }
    let ticks, minor = [];
    if (log) {
      const first = floor(log10(low)) - 1, decades = log10(high / low), tens = [1], halves = [1, 2, 5];
      const marks = times => range(log10(high) - first + 2, k => times.map(t => t * 10 ** (first + k))).flat();
      if (!fixed) {
        const ends = marks(decades > 5 ? tens : halves);
        low = max(...ends.filter(v => v < low * 1.0001));
        high = min(...ends.filter(v => v > high * 0.9999));
      }
      const inside = times => marks(times).filter(v => v > low * 0.9999 && v < high * 1.0001),
        every = nice(max(1, decades / count));
      ticks = decades > 1.2
        ? inside(tens).map(v => [v, round(log10(v))]).filter(([, power]) => power % every === 0)
          .map(([v, power]) => [v, "10^" + pretty(power)])
        : inside(halves).map(v => [v, format(v, ".3g")]);
      if (decades < 40) minor = inside(every > 1 ? tens : range(8, k => k + 2));
    } else {
      const step = max(nice((high - low) / count), whole), slack = fixed ? -1e-9 : 1e-9;
      const first = (fixed ? ceil : floor)(low / step + slack), last = (fixed ? floor : ceil)(high / step - slack);
      if (!fixed) [low, high] = [first * step, last * step];
      // Numbers like 0.00012 or 120000 are written 1.2·10^n, all with the same n.
      const order = log10(max(abs(low), abs(high))), power = order >= 5 || order < -2 ? floor(order + 1e-9) : 0;
      const digits = max(0, power - floor(log10(step) + 1e-9));
      ticks = range(last - first + 1, i => {
        const v = (first + i) * step;
        return [v, v ? pretty((v / 10 ** power).toFixed(digits)) + (power ? "·10^" + pretty(power) : "") : "0"];
      });
    }
    const start = track(low), unit = size / (track(high) - start);
    return { ticks, minor, low, high, at: v => (track(v) - start) * unit };
  }

  // -------------------------------------------------------------------------------- shapes; points are [x, y] in pixels

  const pixel = x => round(x * 10) / 10, spot = (x, y) => pixel(x) + " " + pixel(y);
  const FAR = 20000; // a point further away is drawn here, in its direction: browsers calculate with single precision

  /** The path through the points, with a gap where one is not finite; a point between two gaps is a dot. */
  function trace(points) {
    let path = "", pen = "M";
    points.forEach(([x, y], i) => {
      if (!finite(x + y)) return (pen = "M");
      const near = min(1, FAR / max(abs(x), abs(y)));
      path += pen + spot(x * near, y * near);
      if (pen === "M" && !finite(points[i + 1]?.[0] + points[i + 1]?.[1])) path += "h0";
      pen = "L";
    });
    return path;
  }

  // The markers of learndyn.figures: circle, square, triangle, diamond, triangle down, plus; [corners, turn].
  const MARKERS = [, [4, 0.5], [3, 0], [4, 0], [3, 0.5], [12, 0.5]];
  function marker(kind, [x, y], r) {
    if (!(hypot(x, y) < FAR)) return "";
    if (!MARKERS[kind]) return `M${spot(x-r,y)}a${r} ${r} 0 1 0 ${2*r} 0a${r} ${r} 0 1 0 ${-2*r} 0z`;
    const [corners, turn] = MARKERS[kind];
    return "M" + range(corners, k => {
      const angle = 2 * Math.PI * (k + turn) / corners, long = r * (corners > 9 && k % 3 === 1 ? 0.6 : 1.3);
      return spot(x + long * Math.sin(angle), y - long * Math.cos(angle));
    }).join("L") + "z";
  }

  /** An arrow's head: two barbs at a tip, against the unit direction (u, v). */
  function head(x, y, u, v, size) {
    const barb = turn => spot(x - size * (0.88 * u - turn * v), y - size * (0.88 * v + turn * u));
    return `M${barb(0.48)}L${spot(x,y)}L${barb(-0.48)}`;
  }

  /** A head halfway along the visible part of a curve: which way time runs. */
  function heading(points, w, h) {
    const inside = ([x, y]) => x >= 0 && x <= w && y >= 0 && y <= h;
    const steps = points.map((p, i) => i && inside(p) && inside(points[i - 1])
      ? hypot(...p.map((v, axis) => v - points[i - 1][axis])) : 0);
    let half = steps.reduce((a, b) => a + b, 0) / 2;
    if (half < 8) return "";
    const i = steps.findIndex(step => (half -= step) <= 0), [[a, b], [x, y]] = points.slice(i - 1);
    return head(x, y, (x - a) / steps[i], (y - b) / steps[i], 9) + "z";
  }

  /** The arrows of a field, velocities [u, v] in pixels on a lattice; their length grows weakly with the speed, so that slow
      regions can be read too. */
  function arrows(field, rows, cols, w, h) {
    const speeds = field.map(v => hypot(...v)), top = max(...speeds.filter(speed => speed < LARGE)),
      cell = 0.43 * min(w / cols, h / rows);
    return join(field, ([u, v], k) => {
      const speed = speeds[k], half = cell * max(0.3, (speed / top) ** 0.35), x = (k % cols + 0.5) / cols * w,
        y = h - (floor(k / cols) + 0.5) / rows * h;
      if (!(speed > 1e-9 * top && speed < LARGE)) return "";
      u /= speed;
      v /= speed;
      return `M${spot(x-u*half,y-v*half)}L${spot(x+u*half,y+v*half)}`
        + head(x + u * half, y + v * half, u, v, min(5, 0.8 * half));
    });
  }

  /** The lines where a function on a lattice is zero: marching squares, the pieces joined, so that lines can be dashed.
      A cut is known by the edge it lies on; the half cell up to the frame is continued linearly. */
  function contours(rows, cols, value, w, h) {
    const wide = cols + 2, cuts = new Map();
    const widen = (list, beyond, last = list.length - 1) =>
      [beyond(list[0], list[1]), ...list, beyond(list[last], list[last - 1])];
    const lattice = range(rows, i => widen(range(cols, j => value(i * cols + j)), (a, b) => 2 * a - b));
    const v = widen(lattice, (a, b = a) => a.map((x, j) => 2 * x - b[j])).flat();
    const cut = ([a, b]) => {
      const edge = a + " " + b, mix = of => of(a) + v[a] / (v[a] - v[b]) * (of(b) - of(a));
      const x = mix(k => k % wide), y = mix(k => floor(k / wide));
      if (!cuts.has(edge)) cuts.set(edge, { point: [(x - 0.5) / cols * w, h - (y - 0.5) / rows * h], next: [] });
      return cuts.get(edge);
    };
    for (let a = 0; a < v.length - wide; a++) {
      const b = a + 1, c = a + wide, d = c + 1, sum = v[a] + v[b] + v[c] + v[d];
      if (b % wide === 0 || !finite(sum)) continue;
      const found = [[a, b], [b, d], [c, d], [a, c]].filter(([p, q]) => v[p] < 0 !== v[q] < 0).map(cut);
      if (found[2] && sum < 0 !== v[a] < 0) found.push(found.shift()); // a saddle: its middle says what belongs together
      for (let p, q; [p, q] = found.splice(0, 2), q;) {
        p.next.push(q);
        q.next.push(p);
      }
    }
    const walk = from => {
      const line = [];
      for (let at = from; at; at = at.next.find(other => !other.taken)) {
        at.taken = true;
        line.push(at.point);
      }
      return trace(from.next[1] ? [...line, line[0]] : line); // two neighbors at the start: a loop
    };
    return join([1, 2], ends => join([...cuts.values()], at => at.next.length === ends && !at.taken ? walk(at) : ""));
  }

  // -------------------------------------------------------------------------------- panels

  /** Nodes in a parent, taken in order: the k-th of this update is the k-th of the last one, with other attributes. */
  function layer(parent) {
    const nodes = [];
    let used = 0;
    const take = (tag, given) => {
      const old = nodes[used];
      if (!old || old.localName !== tag) {
        parent.insertBefore(nodes[used] = make(tag), old || null);
        old?.remove();
      }
      return put(nodes[used++], given);
    };
    return {
      take,
      path: (name, d, style = "") => take("path", { class: "explore-" + name, d, style }),
      text(name, x, y, label) {
        const node = take("text", { class: "explore-" + name, x: pixel(x), y: pixel(y) });
        if (node.label === label) return;
        const [base, power] = (node.label = label).split("^");
        node.textContent = base;
        if (power) node.append(make("tspan", { dy: "-.45em", "font-size": "75%" }, power));
      },
      end() {
        while (nodes.length > used) nodes.pop().remove();
        used = 0;
      },
    };
  }

  const KINDS = 6, TONES = 40; // series k has color k, dash k, marker k; of a heat map

  /** The columns of a result: (t,) has one, (t, n) has n. */
  const columns = ({ shape: [t, n = 1], data }) => range(n, j => range(t, i => data[i * n + j]));
  /** The points of a result (2,) or (t, 2), or of each curve of (n, t, 2). */
  const points = data => range(data.length / 2, i => [data[2 * i], data[2 * i + 1]]);
  function curves({ shape, data }) {
    const count = shape[2] ? shape[0] : 1, size = data.length / count;
    return range(count, k => points(data.slice(k * size, (k + 1) * size)));
  }

  /** A panel: its element, `layout` to a size, `update` to a result. */
  function makePanel(p, controls, change) {
    const { kind, xlim, ylim } = p, square = /phase|heat/.test(kind), logX = /x/.test(p.log), logY = /y/.test(p.log);
    const grid = make("g"), inner = make("svg", { overflow: "hidden" }),
      words = make("div.notes", mute), legend = div("legend");
    const picture = make("svg.svg", { role: "img", "aria-label": p.text }, grid, inner), plot = div("plot", picture, words);
    const element = div("panel",
      rich(div("title"), p.title), rich(div("y"), p.ylabel), plot, rich(div("x"), p.xlabel), legend);
    const back = layer(grid), marks = layer(inner), notes = layer(words), draw = marks.path;
    // The drawing is `width` by `height`, the frame in it `w` by `h`, at (left, top); X and Y give pixels in the frame.
    let width, height, left, top, w, h, em, margins, X, Y, result, said;

    /** Take a cell of this width and a frame of this height. */
    function layout(cell, frame, size) {
      [width, h, em, margins, top, height] = [cell, frame, size, [0, 0], round(0.7 * size), frame + round(1.9 * size) + 10];
      room(1, [], p.drag ? 16 : em);
      put(picture, { width, height, viewBox: [0, 0, width, height] });
    }
    /** Room for labels at the left (0) or right (1) of the frame; it never shrinks before the next layout, because the frame
        must not tremble. */
    function room(side, ticks, more) {
      const chars = max(0, ...ticks.map(([, label]) => label.length - (label.includes("^") ? 1.2 : 0)));
      margins[side] = max(margins[side], ceil(chars * 0.6 * em + more));
      const space = width - margins[0] - margins[1], pad = kind === "scatter" ? 6 : 2; // what lies on the frame is not to be cut
      w = square ? min(space, h) : space;
      left = margins[0] + floor((space - w) / 2);
      const box = { width: w + 2 * pad, height: h + 2 * pad };
      put(grid, { transform: `translate(${left},${top})` });
      put(inner, { x: left - pad, y: top - pad, ...box, viewBox: `-${pad} -${pad} ${box.width} ${box.height}` });
      put(element, { style: `--left:${left}px;--right:${width-left-w}px` });
    }
    /** A point of the frame as a place in the plot, which may be shrunk on paper. */
    const place = (x, y) => `left:${(left+x)/width*100}%;top:${(top+y)/height*100}%`;
    /** Words at a point of the frame, moved by parts of their own size. */
    function note(label, x, y, move, most) {
      const style = `${place(x,y)};transform:translate(${move});max-width:${floor(most)}px`;
      if (label) rich(notes.take("span", { style }), label);
    }
    const inFrame = curve => curve.map(([x, y]) => [X(x), Y(y)]);
    /** Where lines are to be drawn: values that are given or that the figure computes. */
    const values = ({ at }) => finite(at) ? [at] : [...result[at].data];

    function axes(xs, ys, xFixed = xlim, yFixed = ylim, whole) {
      const heat = kind === "heat", up = axis(ys, yFixed, logY, h, heat ? 30 : 46, heat), crisp = x => round(x) + 0.5,
        edge = heat ? -0.5 : 0.5;
      room(0, [...up.ticks, [0, "000"]], 8);
      const across = axis(xs, xFixed, logX, w, whole ? 30 : 62, whole);
      X = across.at;
      Y = heat ? up.at : v => h - up.at(v); // a matrix is written from the top
      back.path("grid", heat ? ""
        : join(up.ticks, ([v]) => `M0 ${crisp(Y(v))}H${w}`) + join(across.ticks, ([v]) => `M${crisp(X(v))} 0V${h}`));
      back.path("frame", (square ? `M${edge} ${edge}H${w+0.5}V${h+0.5}H${edge}z` : `M.5 0V${h+0.5}H${w}`)
        + join(up.minor, v => `M0 ${crisp(Y(v))}h-3`) + join(across.minor, v => `M${crisp(X(v))} ${h}v3`));
      for (const [v, label] of up.ticks) back.text("before", -6, Y(v) + 0.35 * em, label);
      for (const [v, label] of across.ticks) back.text("below", X(v), h + 1.2 * em + 3, label);
    }

    /** Lines across the frame, whose labels stay inside it: vertical ones below each other, beside their line. */
    function lines(list = [], upright) {
      list.forEach((line, k) => {
        const size = upright ? w : h, found = values(line).map(upright ? X : Y).filter(at => at >= 0 && at <= size).map(pixel);
        const [at] = found, flip = at > w / 2;
        draw("mark", join(found, at => upright ? `M${at} 0V${h}` : `M0 ${at}H${w}`));
        if (!found.length) return;
        if (upright)
          note(line.label, at + (flip ? -5 : 5), (0.2 + 1.35 * k) * em, flip ? "-100%" : "0", (flip ? at : w - at) - 8);
        else note(line.label, w - 4, at, at < 1.6 * em ? "-100%,2px" : "-100%,-100%", w - 8);
      });
    }

    // What each kind draws; it calls `axes` once.

    /** line, scatter, bars: axes around some series of points. */
    function series() {
      const bars = kind === "bars", first = kind === "line" ? 0 : 1, across = p.x && columns(result[p.x]), xs = extent(),
        ys = extent();
      const all = p.series.flatMap(({ key }) => columns(result[key]).map((column, j) => {
        const x = across ? across[j % across.length] : column.map((_, i) => i + first);
        see(xs, x, logX);
        see(ys, column, logY);
        return column.map((y, i) => [x[i], y]);
      }));
      said = quiet(ys);
      for (const line of p.horizontal) see(ys, values(line), logY);
      if (bars) { // they grow from zero; on a logarithmic axis from the frame, which lies below the smallest
        see(ys, [logY ? ys.low / 1.5 : 0], logY);
        axes(xs, ys, xlim || [0.5, max(1, xs.high) + 0.5], ylim, 1);
      } else axes(xs, ys);
      lines(p.vertical, true);
      lines(p.horizontal);
      const ground = logY ? h : pixel(clamp(Y(0), 0, h)), wide = (X(2) - X(1)) * 0.8 / all.length;
      all.forEach((curve, k) => {
        const size = curve.length > 60 ? 2.5 : 4, drawn = inFrame(curve), type = k % KINDS;
        draw(kind + " s" + type, kind === "line" ? trace(drawn) : join(drawn, ([x, y]) => !bars ? marker(type, [x, y], size)
          : finite(y)
            ? `M${spot(x+(k-all.length/2)*wide+.5,ground)}V${pixel(clamp(y,-9,h+9))}h${pixel(max(wide-1,.6))}V${ground}z` : ""));
      });
      if (bars) draw("frame", `M0 ${ground}H${w}`);
    }

    function phase() {
      const seen = extent();
      let k = 0;
      axes({}, {});
      if (p.field) {
        const { shape: [rows, cols], data } = result[p.field];
        draw("field", arrows(points(data).map(([u, v]) => [u * (X(1) - X(0)), v * (Y(1) - Y(0))]), rows, cols, w, h));
        if (p.nullclines) for (const part of [0, 1])
          draw("nullcline n" + part, contours(rows, cols, i => data[2 * i + part], w, h));
      }
      for (const { key, values } of p.levels) {
        const { shape, data } = result[key];
        draw("curve", join(values, level => contours(...shape, i => data[i] - level, w, h)));
      }
      for (const key of p.curves) draw("curve", join(curves(result[key]).map(inFrame), trace));
      for (const { key } of p.paths) {
        const all = curves(result[key]), many = all.length > KINDS; // a bundle of many has one color
        see(seen, result[key].data);
        for (const curve of all.map(inFrame)) {
          draw("line s" + k % KINDS, trace(curve));
          draw("solid s" + k % KINDS, heading(curve, w, h) + (curve[0] ? marker(0, curve[0], 4) : ""));
          k += !many;
        }
        k += many;
      }
      p.points.forEach((key, type) =>
        draw("dot", join(inFrame(points(result[key].data)), point => marker(type % KINDS, point, 4.5))));
      for (const { label, at: [x, y] } of p.notes) note(label, X(x), Y(y), "-50%,-50%", w);
      said = p.paths.length ? quiet(seen) : "";
    }

    function heat() {
      // Tones are mixed by the browser from three colors of the style sheet, so that they follow light and dark.
      const { shape: [rows, cols], data } = result[p.key], { center } = p, middle = center != null,
        seen = see(extent(), data), cells = range(TONES, () => "");
      said = quiet(seen);
      if (middle) see(seen, [2 * center - seen.low, 2 * center - seen.high]); // as far on either side
      const { ticks, low, high, at } = axis(seen, p.limits, false, h, 45);
      room(1, ticks, 30);
      axes({}, {}, [0.5, cols + 0.5], [0.5, rows + 0.5], 1);
      data.forEach((v, k) => {
        if (!(abs(v) < LARGE)) return;
        const j = k % cols + 0.5, i = floor(k / cols) + 0.5, x = round(X(j));
        cells[clamp(floor((v - low) / (high - low) * TONES), 0, TONES - 1)]
          += `M${x} ${round(Y(i))}H${round(X(j+1))}V${round(Y(i+1))}H${x}z`;
      });
      cells.forEach((path, tone) => {
        const edge = k => round(h - k / TONES * h), bar = `M${w+8} ${edge(tone)}h12V${edge(tone+1)}h-12z`;
        const part = (tone + 0.5) / TONES * 2, k = floor(part);
        back.path(middle ? "cell explore-centered" : "cell", path + bar,
          `fill:color-mix(in oklab,var(--t${k+1}) ${round((part-k)*100)}%,var(--t${k}))`);
      });
      for (const [v, label] of ticks) back.text("after", w + 25, h - at(v) + 0.35 * em, label);
    }

    function update(answer) {
      result = answer;
      ({ phase, heat }[kind] || series)();
      back.text("quiet", w - 6, em + 4, said);
      for (const part of [back, marks, notes]) part.end();
      follow?.();
    }

    const entry = (name, type, label) => {
      const d = kind === "bars" ? "M2 2H22V12H2z" : kind === "scatter" ? marker(type, [12, 7], 4.5) : "M1 7H27";
      legend.append(make("span", {},
        make("svg", { width: 28, height: 14, ...mute }, make("path", { class: `explore-${name} s${type}`, d })),
        rich(make("span"), label)));
    };
    (p.series || p.paths || []).flatMap(s => s.labels).forEach((label, k) =>
      entry(p.series ? kind : "line", k % KINDS, label));
    if (p.nullclines) [p.xlabel || "x", p.ylabel || "y"].forEach((label, k) =>
      entry("nullcline n" + k, 0, label + " at rest"));

    /* The handle in the plane is an HTML element over the drawing, because inside an image nothing exists for a screen
       reader.  ARIA has no slider with two dimensions.  Both coordinates have native sliders among the controls; the handle
       is a shortcut to them and a `slider` too, whose number is the first coordinate and whose text names both, so that each
       move by a key is spoken: Home and End go to the ends of the first, the page keys take ten steps of the second.  A
       finger drags the handle, and scrolls the page everywhere else. */
    let follow; // moves the handle to its values
    if (p.drag) {
      const both = p.drag.map(name => controls[name]), [first, second] = both, knob = div("handle");
      put(knob, {
        role: "slider", tabindex: 0, "aria-label": `Point ${first.spec.text}, ${second.spec.text}: arrow keys move it`,
        "aria-valuemin": first.spec.low, "aria-valuemax": first.spec.high,
      });
      let grip = null; // from the pointer to the knob's center
      const center = () => [clamp(X(first.value), 0, w), clamp(Y(second.value), 0, h)];
      const pointer = e => {
        const box = plot.getBoundingClientRect();
        return [e.clientX - box.left - left, e.clientY - box.top - top];
      };
      const move = ([x, y]) => change({
        [p.drag[0]]: xlim[0] + clamp(x / w, 0, 1) * (xlim[1] - xlim[0]),
        [p.drag[1]]: ylim[1] - clamp(y / h, 0, 1) * (ylim[1] - ylim[0]),
      });
      plot.append(knob);
      on(knob, "pointerdown", e => {
        knob.setPointerCapture(e.pointerId);
        const at = pointer(e);
        grip = center().map((v, i) => v - at[i]);
      });
      on(knob, "pointermove", e => grip && move(pointer(e).map((v, i) => v + grip[i])));
      on(knob, "lostpointercapture", () => grip = null);
      on(plot, "click", e => { // in the plane; a swipe is none
        const [x, y] = pointer(e);
        if (e.target !== knob && x >= 0 && y >= 0 && x <= w && y <= h) move([x, y]);
      });
      on(knob, "keydown", e => {
        const k = "ArrowLeft ArrowRight Home End ArrowDown ArrowUp PageDown PageUp".split(" ").indexOf(e.key), axis = k >> 2;
        if (k < 0) return;
        e.preventDefault();
        change({ [p.drag[axis]]: both[axis].stepped((k % 2 || -1) * (k & 2 ? axis ? 10 : 1e9 : e.shiftKey ? 10 : 1)) });
      });
      follow = () => put(knob, {
        style: place(...center()), "aria-valuenow": first.value,
        "aria-valuetext": both.map(c => c.spec.text + " " + c.text(c.value)).join(", "),
      });
    }
    return { element, square, layout, update };
  }

  // -------------------------------------------------------------------------------- controls

  let ids = 0;

  /** A slider or a choice: its value, and the elements that show it. */
  function makeControl(spec, change) {
    const id = "explore-" + ++ids, { log, low, high, step, options } = spec, track = log ? log10 : Number,
      from = track(low), to = track(high);
    const text = v => options ? options[v] : print(spec, v);
    // The last step must not be lost to rounding: browsers count steps from the low end.
    const input = options ? make("select", {}, ...options.map((option, value) => make("option", { value }, option)))
      : make("input", { type: "range", min: from, max: to + step * 1e-6, step });
    const output = make("output", {
      ...mute, style: options ? "display:none" : `min-width:${max(text(low).length,text(high).length)}ch`,
    });
    const value = at => options ? at : at > to - step * 1e-5 ? high : at < from + step * 1e-5 ? low : log ? 10 ** at : at;
    const control = {
      spec, text, name: spec.name,
      element: div("control", rich(make("label", { for: id, ...mute }), spec.label), output, input),
      stepped: steps => value(track(control.value) + steps * step),
      /** The value at a part of the track, and back. */
      part: t => value(from + t * (to - from)),
      where: () => (track(control.value) - from) / (to - from),
      take(v) {
        control.value = options ? clamp(round(v), 0, options.length - 1) : clamp(v, low, high);
        input.value = track(control.value);
        write(output, text(control.value));
        if (!options) put(input, { "aria-valuetext": output.textContent });
      },
    };
    on(input, "input", () => change({ [spec.name]: value(+input.value) }));
    put(input, { id, "aria-label": spec.text }); // not every reader of screens knows MathML
    control.take(spec.start ?? spec.value);
    return control;
  }

  /** Sweeps one slider to and fro; where motion is unwelcome, in a few slow steps. */
  function makePlayer({ spec, part, where }, set) {
    const button = make("button"), still = matchMedia("(prefers-reduced-motion: reduce)");
    let at, timer; // at: 0 … 1 is the way up, 1 … 2 the way down
    const player = { button, play };
    function play(playing) {
      clearInterval(timer);
      write(button, (player.playing = playing) ? "Pause" : "Play");
      if (!playing) return;
      at = where();
      let last = now();
      timer = setInterval(() => {
        if (document.hidden) return play(false);
        at = (at + (still.matches ? 1 / 8 : (now() - last) / 6000)) % 2;
        last = now();
        set({ [spec.name]: part(1 - abs(1 - at)) });
      }, still.matches ? 1200 : 16);
    }
    on(button, "click", () => play(!player.playing));
    play(false);
    return player;
  }

  // -------------------------------------------------------------------------------- the summary

  /** The line of text under a figure, and a live region that speaks it when it has come to rest. */
  function makeSummary(parts, controls, moving) {
    const shown = make("span"), room = make("span.room"), status = make("p.hidden", { role: "status" });
    let timer;
    const text = (result, longest) => join(parts, part => {
      const { key, words } = part, control = controls[part.control];
      if (!key && !control) return part;
      const v = control ? control.value : result[key].data[0];
      if (words) return longest ? words.reduce((a, b) => b.length > a.length ? b : a) : words[round(v)] ?? "undefined";
      return part.format ? format(v, part.format) : control.text(v);
    });
    const speak = () => moving() ? wait() : write(status, shown.textContent);
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(speak, 800);
    };
    return {
      elements: [make("p.summary", mute, shown, room), status],
      update(result) {
        write(shown, text(result));
        // An invisible copy of the longest text so far, with the longest words, keeps as many lines as will be needed.
        const full = text(result, true);
        if (full.length > room.textContent.length) write(room, full);
        wait();
      },
    };
  }

  // -------------------------------------------------------------------------------- the figure

  function mount(element, spec, compute = spec.grid && table(spec.grid)) {
    if (!compute) throw new Error(`figure ${spec.id} needs a function`);
    element.explore?.destroy();
    const seconds = { compute: 0, draw: 0 };
    let frame = 0, updates = 0, running, again, gone, fresh, width, result;

    const request = () => frame ||= requestAnimationFrame(run);
    const stop = () => player?.play(false);
    function set(values) {
      for (const name in values) {
        if (!controls[name] || !finite(+values[name]))
          throw new Error(`cannot set ${name}=${values[name]} of ${Object.keys(controls)}`);
        controls[name].take(+values[name]);
      }
      request();
    }
    /** The reader's own change: who touches the slider that plays, stops it. */
    function change(values) {
      if (spec.play in values) stop();
      set(values);
    }
    function reset() {
      stop();
      for (const { spec, take } of list) take(spec.value);
      fresh = true; // gives back the room that labels have taken
      request();
    }

    async function run() {
      frame = 0;
      again = running; // then the newest values are computed when the answer to the last ones is there
      if (running) return;
      running = true;
      const began = now();
      let error;
      try {
        result = await compute(...list.map(c => c.value));
      } catch (reason) {
        console.error(error = reason);
      }
      running = false;
      if (gone) return;
      seconds.compute = (now() - began) / 1000;
      write(trouble, error ? "Failed: " + error.message : "");
      if (!error) (fresh ? layout : show)();
      fresh = false;
      if (again) request();
    }
    function show() {
      if (!width || !result) return;
      const began = now();
      for (const panel of panels) panel.update(result);
      summary?.update(result);
      seconds.draw = (now() - began) / 1000;
      updates++;
    }

    /** Panels side by side where there is room, the frames of a row equally high; as in the style sheet, 24 pixels lie
        between panels, and controls beside a single panel take 216. */
    function layout() {
      if (!width) return;
      const total = panels.length, em = max(11, 0.82 * parseFloat(getComputedStyle(element).fontSize));
      const aside = total < 2 && width >= 600, room = aside ? width - 240 : width,
        across = clamp(floor(room / 280), 1, total);
      const cell = floor((room - 24 * (across - 1)) / across), side = floor(min(cell - 1.8 * em - 24, 400));
      element.classList.toggle("explore-aside", aside);
      put(body, { style: `--columns:${across};--em:${em}px` });
      panels.forEach((panel, i) => {
        const alone = across > 1 && i === total - 1 && total % across === 1;
        panel.element.classList.toggle("explore-wide", alone);
        const tall = panel.square || !alone && across > 1 && panels.some(other => other.square);
        panel.layout(alone ? room : cell, tall ? side : floor(clamp(0.7 * side, 150, 300)), em);
      });
      show();
    }

    const list = spec.controls.map(c => makeControl(c, change)), controls = Object.fromEntries(list.map(c => [c.name, c]));
    const player = spec.play && makePlayer(controls[spec.play], set),
      panels = spec.panels.map(p => makePanel(p, controls, change));
    const summary = spec.summary && makeSummary(spec.summary, controls, () => player?.playing);
    const trouble = make("p.error", { role: "alert" }), back = make("button.reset", {}, "Reset"), id = "explore-" + ++ids;
    const body = make("div.body",
      { role: "group", "aria-label": "Interactive figure: " + spec.panels[0].text, "aria-describedby": id },
      make("p.hidden", { id }, spec.alt),
      div("controls", ...list.map(c => c.element), div("buttons", ...player ? [player.button] : [], back)),
      div("panels", ...panels.map(panel => panel.element)),
      ...summary ? summary.elements : [], trouble);
    on(back, "click", reset);
    // Keys that a control needs are not for the page around it: notebooks move between cells by arrows.  They look for this
    // attribute from the focused element outward and stop at the first that matches a shortcut, so it stands on every one.
    body.querySelectorAll("*").forEach(node => node.dataset.lmSuppressShortcuts = 1);
    on(body, "keydown", e => {
      if (/^(Arrow|Page|Home|En|\s)/.test(e.key)) e.stopPropagation(); // End, Enter
      if (e.key === "Escape") stop();
    });
    element.classList.add("explore");
    element.replaceChildren(body);

    const sizes = new ResizeObserver(([{ contentRect }]) => {
      const room = round(contentRect.width);
      if (!room || room === width) return;
      width = room;
      requestAnimationFrame(layout); // not while observing, which would observe itself
    });
    const sight = new IntersectionObserver(seen => seen.pop().isIntersecting || stop());
    width = body.clientWidth;
    layout();
    run();
    sizes.observe(body);
    sight.observe(body);

    return element.explore = {
      seconds, set, reset,
      refresh: request, // the numbers behind the same values have changed
      get values() { return Object.fromEntries(list.map(c => [c.name, c.value])); },
      get updates() { return updates; },
      destroy() {
        gone = true;
        cancelAnimationFrame(frame);
        stop();
        sizes.disconnect();
        sight.disconnect();
        body.remove();
        delete element.explore;
      },
    };
  }

  // -------------------------------------------------------------------------------- numbers from a table

  /** A function that interpolates between precomputed results: linearly along sliders, or in their logarithm. */
  function table({ axes, fields, data }) {
    const counts = axes.map(a => a.options || a.points), packed = Uint8Array.from(atob(data), c => c.charCodeAt(0));
    const unpacked = new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
    return async (...values) => {
      const codes = new Uint16Array(await unpacked);
      let corners = [[0, 1]], start = 0; // of the cell around the values: [index, weight]
      axes.forEach(({ options, low, high, log }, k) => {
        const track = log ? log10 : Number, part = (track(values[k]) - track(low)) / (track(high) - track(low));
        const at = options ? values[k] : clamp(part, 0, 1) * (counts[k] - 1), below = floor(at);
        corners = corners
          .flatMap(([index, weight]) => [0, 1]
            .map(i => [index * counts[k] + below + i, weight * (i ? at - below : 1 + below - at)]))
          .filter(([, weight]) => weight);
      });
      return Object.fromEntries(fields.map(({ key, shape, low, high }) => {
        const size = product(shape), sum = new Float64Array(size).fill(low);
        for (const [index, weight] of corners) {
          // Each frame is coded by differences of 16 bits, modulo 65536.
          for (let i = 0, code = 0; i < size; i++) {
            code = code + codes[start + index * size + i] & 65535;
            sum[i] += weight * code * (high - low) / 65535;
          }
        }
        start += size * product(counts);
        return [key, { shape, data: sum }];
      }));
    };
  }

  // -------------------------------------------------------------------------------- numbers from a kernel

  /** anywidget's render: each control is a trait; Python answers a change by `_layout` and `_frame`, or by `_error`. */
  function live({ model, el }) {
    const spec = model.get("_spec"), box = el.appendChild(make("div"));
    let answered = null; // ends the wait for the answer to the request under way

    async function compute(...values) {
      const changed = spec.controls.map((c, k) => [c.name, values[k]]).filter(([name, value]) => model.get(name) !== value);
      if (changed.length) {
        const answer = new Promise(resolve => answered = resolve);
        for (const [name, value] of changed) model.set(name, value);
        model.save_changes();
        setTimeout(answered, 500); // a value that Python refuses is never answered
        await answer;
        answered = null;
      }
      if (model.get("_error")) throw new Error(model.get("_error"));
      const { buffer, byteOffset, byteLength } = model.get("_frame");
      const numbers = new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength)); // a copy is aligned
      let start = 0;
      return Object.fromEntries(model.get("_layout").map(([key, shape]) =>
        [key, { shape, data: numbers.subarray(start, start += product(shape)) }]));
    }
    // A second view of a widget shows what the first one has set.
    const figure = mount(box, { ...spec, controls: spec.controls.map(c => ({ ...c, start: model.get(c.name) })) }, compute);
    const answer = () => answered ? answered() : figure.refresh(),
      events = { "change:_frame": answer, "change:_error": answer };
    for (const { name } of spec.controls)
      events["change:" + name] = () => figure.values[name] !== model.get(name) && figure.set({ [name]: model.get(name) });
    for (const name in events) model.on(name, events[name]);
    return () => {
      for (const name in events) model.off(name, events[name]);
      figure.destroy();
      box.remove();
    };
  }

  // -------------------------------------------------------------------------------- start

  function start(root = document) {
    for (const holder of root.querySelectorAll("div.explore > script.explore-spec")) {
      try { // a broken figure keeps its picture and does not stop the others
        const spec = JSON.parse(holder.textContent);
        mount(holder.parentNode, spec, api.figures[spec.id]);
      } catch (error) {
        console.error(error);
      }
    }
  }

  Object.assign(api, { mount, start, live, figures: api.figures || {} });
  if (document.readyState === "loading") on(document, "DOMContentLoaded", () => start());
  else start();
})();
