/* The figures of `learndyn.explore` in a browser: one classic script for all of them, without dependencies.

   learndynExplore.mount(element, spec, compute)   puts a figure into an element: controls, panels (SVG), summary
   learndynExplore.start(root)                     mounts every figure that a page holds; runs by itself
   learndynExplore.live({model, el})               a figure whose numbers come from a kernel, by anywidget
   learndynExplore.figures                         {id: compute}, filled by the pages' own scripts, before or after this one

   `compute(...values)` gives {key: {shape, data}} or a promise of it; where the numbers come from (compiled JAX, a table, a
   kernel) is all that differs.  A move of a slider runs compute and then rewrites attributes of nodes that are already there:
   during an update nothing is measured and hardly anything is created. */
(() => {
  "use strict";
  const api = globalThis.learndynExplore || (globalThis.learndynExplore = {});
  if (api.mount) { // loaded twice: the first one stays
    api.start();
    return;
  }

  const { PI, abs, ceil, floor, hypot, log10, max, min, round } = Math;
  const clamp = (value, low, high) => min(max(value, low), high);
  const range = (count, make) => Array.from({ length: count }, (_, i) => make(i));

  // ------------------------------------------------------------------------------------------------ elements

  const fill = (node, attributes, children) => {
    for (const name in attributes) if (attributes[name] != null) node.setAttribute(name, attributes[name]);
    node.append(...children);
    return node;
  };
  const html = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  /** An element around a label of the spec, which is HTML already: escaped text with MathML. */
  const rich = (tag, name, label) => {
    const node = html(tag, { class: name });
    node.innerHTML = label;
    return node;
  };
  /** Attributes are written only where they change: most nodes of most updates stay as they are. */
  const put = (node, attributes) => {
    const memo = node.memo || (node.memo = {});
    for (const name in attributes) if (memo[name] !== attributes[name]) node.setAttribute(name, (memo[name] = attributes[name]));
    return node;
  };
  const write = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };

  // ------------------------------------------------------------------------------------------------ numbers as text

  const raised = (digits) => digits.replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  /** 1.2e-5 becomes 1.2×10⁻⁵, with true minus signs. */
  const pretty = (text) => text.replace(/e\+?(-?)0*(\d+)$/, (_, sign, digits) => "×10" + raised(sign + digits)).replace("-", "−");

  /** Python's format of a number, for the formats that a summary may use: .Nf .Ne .Ng d. */
  function format(value, code) {
    if (!Number.isFinite(value)) return value !== value ? "undefined" : "infinite";
    const kind = code.slice(-1), digits = parseInt(code.slice(1)) || 0;
    if (kind === "d") return pretty(String(round(value)));
    if (kind === "e") return pretty(value.toExponential(digits));
    if (kind === "f") return pretty(abs(value) < 1e21 ? value.toFixed(digits) : value.toExponential(digits));
    const figures = max(digits, 1), [mantissa, power] = value.toExponential(figures - 1).split("e");
    return pretty(power < -4 || power >= figures ? Number(mantissa) + "e" + power : String(Number(value.toPrecision(figures))));
  }

  const decimals = (number) => (String(number).split(".")[1] || "").length;
  /** How a slider prints its value: as finely as its steps; on a logarithmic track three significant figures. */
  function printer({ log, low, high, step, value }) {
    const fine = min(max(decimals(step), decimals(low), decimals(value)), max(0, 1 + ceil(-log10(step))));
    const plain = !log && step >= 1e-5 && max(abs(low), abs(high)) < 1e6;
    return (v) => {
      if (plain) return pretty(v.toFixed(fine));
      const power = v ? floor(log10(abs(v)) + 1e-9) : 0;
      return pretty(power > -4 && power < 5 ? v.toFixed(max(0, 2 - power)) : v.toExponential(2));
    };
  }

  // ------------------------------------------------------------------------------------------------ axes

  /** The least of 1, 2, 5, 10, 20, … times a power of ten that is not below `least`. */
  const nice = (least) => {
    const unit = 10 ** floor(log10(least)), times = least / unit - 1e-9;
    return unit * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
  };
  const LARGE = 1e150; // what is larger counts as infinite: differences and squares of it would be

  /** The smallest interval that holds the numbers seen, and what kinds of numbers they were. */
  const extent = () => ({ low: Infinity, high: -Infinity, count: 0, infinite: 0, undefined: 0 });
  function see(seen, data, log) {
    for (const v of data) {
      seen.count++;
      if (abs(v) < LARGE) {
        if (log && v <= 0) continue;
        if (v < seen.low) seen.low = v;
        if (v > seen.high) seen.high = v;
      } else v !== v ? seen.undefined++ : seen.infinite++;
    }
    return seen;
  }
  /** What a panel says quietly when numbers are missing from it. */
  function quiet(seen, log) {
    if (!seen.count) return "no data";
    if (seen.infinite) return "diverges";
    return seen.low <= seen.high ? "" : log && seen.undefined < seen.count ? "nothing above zero" : "undefined";
  }

  /** limits and ticks [value, label] of an axis.  `fixed` limits stay; others are rounded outwards to ticks, so that an axis
      does not tremble while the data move.  A label "10^3" has its exponent after the caret. */
  function axis({ low, high }, fixed, log, count, whole) {
    if (fixed) [low, high] = fixed;
    else if (!(low <= high)) [low, high] = log ? [0.1, 1] : [0, 1]; // nothing to fit
    return (log ? logarithmic : linear)(low, high, fixed, max(count, 2), whole);
  }

  function linear(low, high, fixed, count, whole) {
    const large = max(abs(low), abs(high));
    if (high - low <= 1e-9 * large || low === high) { // constant but for rounding errors
      const around = large / 10 || 1;
      low -= around;
      high += around;
    }
    const step = max(nice((high - low) / count), whole ? 1 : 0);
    const first = (fixed ? ceil : floor)(low / step + (fixed ? -1e-9 : 1e-9));
    const last = (fixed ? floor : ceil)(high / step + (fixed ? 1e-9 : -1e-9));
    const size = log10(max(abs(low), abs(high))), power = size >= 5 || size < -2 ? floor(size + 1e-9) : 0;
    const digits = max(0, power - floor(log10(step) + 1e-9));
    const ticks = range(last - first + 1, (i) => {
      const at = (first + i) * step, mantissa = pretty((at / 10 ** power).toFixed(digits));
      return [at, power && at ? `${mantissa}·10^${pretty(String(power))}` : at ? mantissa : "0"];
    });
    return { limits: fixed ? [low, high] : [first * step, last * step], ticks, minor: [], log: false };
  }

  function logarithmic(low, high, fixed, count) {
    if (high <= low * (1 + 1e-9)) [low, high] = [low / 2, high * 2];
    const a = log10(low), b = log10(high), decades = b - a > 1.2;
    // Over more than a decade the powers of ten are marked, over less 1, 2, and 5 times them.
    const marks = range(ceil(b) - floor(a) + 3, (i) => floor(a) - 1 + i)
      .flatMap((power) => (decades ? [1] : [1, 2, 5]).map((times) => [times * 10 ** power, power]));
    if (!fixed) {
      low = max(...marks.map(([at]) => at).filter((at) => at <= low * (1 + 1e-9)));
      high = min(...marks.map(([at]) => at).filter((at) => at >= high * (1 - 1e-9)));
    }
    const inside = ([at]) => at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9);
    const every = decades ? nice(max(1, log10(high / low) / count)) : 1;
    const shown = marks.filter(inside).filter(([, power]) => power % every === 0);
    const ticks = shown.map(([at, power]) => [at, decades ? "10^" + pretty(String(power)) : format(at, ".3g")]);
    const between = every > 1 ? [1] : b - a < 7 ? [2, 3, 4, 5, 6, 7, 8, 9] : [];
    const minor = marks.flatMap(([at]) => between.map((times) => [at * times])).filter(inside).map(([at]) => at);
    return { limits: [low, high], ticks, minor, log: true };
  }

  /** The pixel of a value; not finite where there is none, such as the logarithm of zero. */
  function scale({ limits, log }, from, to) {
    const track = log ? log10 : Number, start = track(limits[0]), unit = (to - from) / (track(limits[1]) - start);
    return (value) => from + (track(value) - start) * unit;
  }

  // ------------------------------------------------------------------------------------------------ shapes

  const pixel = (x) => round(x * 10) / 10;
  const FAR = 20000; // pixels; beyond it a point moves closer, along its direction: browsers draw with single precision

  /** The path through the points (x(i), y(i)), with a gap where one is not finite; a point between two gaps is a dot. */
  function trace(count, x, y) {
    let path = "", pen = "M", a0, b0;
    for (let i = 0; i < count; i++) {
      let a = x(i), b = y(i);
      if (!Number.isFinite(a + b)) {
        if (pen === "L" && path.lastIndexOf("M") > path.lastIndexOf("L")) path += "h0";
        pen = "M";
        continue;
      }
      const far = max(abs(a), abs(b)) / FAR;
      if (far > 1) (a /= far), (b /= far);
      a = pixel(a);
      b = pixel(b);
      if (pen === "L" && a === a0 && b === b0) continue;
      path += pen + a + " " + b;
      pen = "L";
      a0 = a;
      b0 = b;
    }
    return pen === "L" && path.lastIndexOf("M") > path.lastIndexOf("L") ? path + "h0" : path;
  }

  // The markers of learndyn.figures in their order: circle, square, triangle, diamond, triangle down, plus; areas alike.
  const MARKERS = [
    null,
    [-0.9, -0.9, 0.9, -0.9, 0.9, 0.9, -0.9, 0.9],
    [0, -1.3, 1.2, 0.85, -1.2, 0.85],
    [0, -1.3, 1.3, 0, 0, 1.3, -1.3, 0],
    [0, 1.3, 1.2, -0.85, -1.2, -0.85],
    [-0.4, -1.2, 0.4, -1.2, 0.4, -0.4, 1.2, -0.4, 1.2, 0.4, 0.4, 0.4, 0.4, 1.2, -0.4, 1.2, -0.4, 0.4, -1.2, 0.4, -1.2, -0.4, -0.4, -0.4],
  ];
  function marker(kind, x, y, r) {
    if (!(abs(x) < FAR && abs(y) < FAR)) return "";
    const corners = MARKERS[kind % MARKERS.length];
    if (!corners) return `M${pixel(x - r)} ${pixel(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
    return corners.reduce((path, c, i) => path + (i % 2 ? " " + pixel(y + c * r) : (i ? "L" : "M") + pixel(x + c * r)), "") + "z";
  }

  /** An arrow's two barbs at its tip, against the unit direction (u, v). */
  const barbs = (x, y, u, v, size) => {
    const side = (turn) => pixel(x - size * (0.88 * u - turn * v)) + " " + pixel(y - size * (0.88 * v + turn * u));
    return [side(0.48), side(-0.48)];
  };

  /** A filled arrowhead halfway along the visible part of a curve: which way time runs. */
  function arrowhead(count, x, y, w, h) {
    const shown = (i) => x(i) >= 0 && x(i) <= w && y(i) >= 0 && y(i) <= h;
    const step = (i) => (shown(i) && shown(i - 1) ? hypot(x(i) - x(i - 1), y(i) - y(i - 1)) : 0);
    let length = 0, i = 0;
    for (let k = 1; k < count; k++) length += step(k);
    if (length < 14) return "";
    for (let walked = 0; walked < length / 2; ) walked += step(++i);
    const u = x(i) - x(i - 1), v = y(i) - y(i - 1), size = hypot(u, v), [one, other] = barbs(x(i), y(i), u / size, v / size, 9);
    return `M${one}L${pixel(x(i))} ${pixel(y(i))}L${other}z`;
  }

  /** Lines where a function on a lattice equals `level`, each a list of [column, row]: marching squares, pieces joined.
      A cut is named by the edge it lies on, so pieces of neighboring squares meet exactly; the joined line can be dashed.
      The outermost half cell, up to the frame, is continued linearly. */
  function contours(value, rows, columns, level) {
    const beyond = (get, k, last) => (k < 0 ? 2 * get(0) - get(1) : k > last ? 2 * get(last) - get(last - 1) : get(k));
    const wide = columns + 2;
    const values = range((rows + 2) * wide, (k) => {
      const across = (row) => beyond((j) => value(row, j), (k % wide) - 1, columns - 1);
      return beyond(across, floor(k / wide) - 1, rows - 1) - level;
    });
    const cuts = new Map(); // the edge's number: its point, and the edges it is joined to
    const cut = (a, b) => {
      const edge = 2 * a + (b - a === 1 ? 0 : 1), t = values[a] / (values[a] - values[b]);
      if (!cuts.has(edge)) {
        const [j, i] = [a % wide, floor(a / wide)];
        cuts.set(edge, { at: b - a === 1 ? [j + t - 1, i - 1] : [j - 1, i + t - 1], next: [] });
      }
      return cuts.get(edge);
    };
    for (let a = 0; a < values.length - wide; a++) {
      if (a % wide === wide - 1) continue;
      const b = a + 1, c = a + wide, d = c + 1;
      if (!Number.isFinite(values[a] + values[b] + values[c] + values[d])) continue;
      const found = [[a, b], [b, d], [c, d], [a, c]].filter(([p, q]) => values[p] < 0 !== values[q] < 0).map(([p, q]) => cut(p, q));
      // Four cuts are a saddle: its middle says which corners belong together.
      if (found.length === 4 && values[a] + values[b] + values[c] + values[d] < 0 !== values[a] < 0) found.push(found.shift());
      for (let k = 0; k + 1 < found.length; k += 2) {
        found[k].next.push(found[k + 1]);
        found[k + 1].next.push(found[k]);
      }
    }
    const lines = [], taken = new Set();
    const walk = (point, line) => {
      for (let p = point; p; p = p.next.find((q) => !taken.has(q))) {
        taken.add(p);
        line.push(p.at);
      }
      if (point.next.length > 1) line.push(point.at); // a loop
      lines.push(line);
    };
    for (const ends of [1, 2]) for (const point of cuts.values()) if (point.next.length === ends && !taken.has(point)) walk(point, []);
    return lines;
  }

  // ------------------------------------------------------------------------------------------------ what a panel is drawn with

  const KINDS = 6; // colors, dashes, markers: number k always comes with color k, dash k, marker k

  /** Nodes in a parent, asked for by number: the k-th of this update is the k-th of the last, with other attributes. */
  function layer(parent, create) {
    const nodes = [];
    let used = 0;
    return {
      node(tag) {
        let node = nodes[used];
        if (!node || node.tagName !== tag) {
          const fresh = create(tag);
          if (node) node.replaceWith(fresh);
          else parent.append(fresh);
          node = nodes[used] = fresh;
        }
        used++;
        return node;
      },
      path(name, d, style) {
        return put(this.node("path"), { class: name, d, style: style || "" });
      },
      /** Text; what follows a caret is an exponent. */
      text(name, x, y, label) {
        const node = put(this.node("text"), { class: name, x: pixel(x), y: pixel(y) });
        if (node.label === label) return;
        const [base, power] = (node.label = label).split("^");
        node.textContent = base;
        if (power) node.append(svg("tspan", { dy: "-.45em", "font-size": "75%" }, power));
      },
      end() {
        while (nodes.length > used) nodes.pop().remove();
        used = 0;
      },
    };
  }

  /** The sample of a legend: a line with its dash, a marker, or a filled bar. */
  function swatch(kind, name, k) {
    const line = kind === "bars" ? "M2 2H22V12H2z" : kind === "scatter" ? marker(k, 12, 7, 4.5) : "M1 7H27";
    const node = svg("path", { class: `${name} s${k % KINDS}`, d: line });
    return svg("svg", { class: "explore-swatch", width: kind === "line" ? 28 : 24, height: 14, "aria-hidden": true }, node);
  }

  /** The columns of a result, each as a function of the row: (t,) has one, (t, n) has n. */
  const columns = ({ shape, data }) => {
    const n = shape.length > 1 ? shape[1] : 1;
    return range(n, (j) => (i) => data[i * n + j]);
  };
  /** The curves in the plane of a result (t, 2) or (n, t, 2), each [length, first coordinate, second]. */
  const curves = ({ shape, data }) => {
    const length = shape[shape.length - 2];
    return range(shape.length > 2 ? shape[0] : 1, (j) => {
      const start = 2 * j * length;
      return [length, (i) => data[start + 2 * i], (i) => data[start + 2 * i + 1]];
    });
  };

  // ------------------------------------------------------------------------------------------------ kinds of panels

  /* Each gets the panel, the result, and the values of the controls.  It calls panel.axes(...) once, which gives the scales
     X and Y and the size of the frame, and then draws on panel.marks, in whose coordinates the frame is (0, 0) … (w, h). */

  /** Vertical and horizontal lines at values that the figure computes or that are given; the labels stay inside the frame. */
  function lines(panel, get, { X, Y, w, h, em }) {
    for (const upright of [true, false]) {
      (panel.spec[upright ? "vertical" : "horizontal"] || []).forEach(({ at, label }, k) => {
        let path = "", first = true;
        for (const value of typeof at === "number" ? [at] : get(at).data) {
          const p = pixel((upright ? X : Y)(value));
          if (!(p >= 0 && p <= (upright ? w : h))) continue;
          path += upright ? `M${p} 0V${h}` : `M0 ${p}H${w}`;
          if (first && label) {
            const left = upright && p > w / 2;
            if (upright) panel.note(label, left ? p - 5 : p + 5, (0.2 + 1.35 * k) * em, left ? "-100%,0" : "0,0", left ? p - 8 : w - p - 8);
            else panel.note(label, w - 4, p + (p < 1.6 * em ? 2 : -2), p < 1.6 * em ? "-100%,0" : "-100%,-100%", w - 8);
          }
          first = false;
        }
        panel.marks.path("explore-marker", path);
      });
    }
  }

  const horizontals = (spec, get) => (spec.horizontal || []).flatMap(({ at }) => (typeof at === "number" ? [at] : [...get(at).data]));

  /** Series over a common or an own abscissa: what `line` and `scatter` share. */
  function series(panel, get, draw, start) {
    const { spec } = panel, logX = spec.log.includes("x"), logY = spec.log.includes("y");
    const xs = extent(), ys = extent(), all = [];
    const own = spec.x && get(spec.x);
    for (const { key } of spec.series) {
      const value = get(key), across = own && columns(own);
      see(ys, value.data, logY);
      see(xs, own ? own.data : range(value.shape[0], (i) => i + start), logX);
      columns(value).forEach((y, j) => all.push([value.shape[0], own ? across[j % across.length] : (i) => i + start, y]));
    }
    const said = quiet(ys, logY);
    see(ys, horizontals(spec, get), logY);
    const frame = panel.axes(xs, ys, logX, logY), { X, Y } = frame;
    lines(panel, get, frame);
    all.forEach(([count, x, y], k) => draw(count, (i) => X(x(i)), (i) => Y(y(i)), k));
    panel.say(said);
  }

  const kinds = {
    line(panel, get) {
      series(panel, get, (count, x, y, k) => panel.marks.path("explore-line s" + (k % KINDS), trace(count, x, y)), 0);
    },

    scatter(panel, get) {
      series(panel, get, (count, x, y, k) => {
        const r = count > 300 ? 2 : count > 60 ? 3 : 4;
        panel.marks.path("explore-point s" + (k % KINDS), range(count, (i) => marker(k, x(i), y(i), r)).join(""));
      }, 1);
    },

    bars(panel, get) {
      const { spec } = panel, log = spec.log === "y", ys = extent(), all = spec.series.map(({ key }) => get(key));
      for (const { data } of all) see(ys, data, log);
      const said = quiet(ys, log), count = max(1, ...all.map(({ data }) => data.length));
      see(ys, horizontals(spec, get), log);
      // Bars grow from zero; on a logarithmic axis from the frame, which then lies below the smallest bar.
      if (!log) see(ys, [0]);
      else ys.low /= 1.5;
      const frame = panel.axes({ low: 0.5, high: count + 0.5 }, ys, false, log, { xlim: spec.xlim || [0.5, count + 0.5], whole: true });
      const { X, Y, w, h } = frame, zero = log ? h : clamp(Y(0), 0, h), wide = (X(1) - X(0)) * 0.8 / all.length;
      lines(panel, get, frame);
      all.forEach(({ data }, k) => {
        let path = "";
        for (let i = 0; i < data.length; i++) {
          const y = clamp(Y(data[i]), -FAR, FAR), left = X(i + 0.6) + k * wide;
          if (y === y) path += `M${pixel(left + 0.5)} ${pixel(zero)}V${pixel(y)}h${pixel(max(wide - 1, 0.6))}V${pixel(zero)}z`;
        }
        panel.marks.path("explore-bar s" + (k % KINDS), path);
      });
      if (!log) panel.marks.path("explore-frame", `M0 ${pixel(zero)}H${w}`);
      panel.say(said);
    },

    phase(panel, get) {
      const { spec, marks } = panel, { X, Y, w, h } = panel.axes({}, {}, false, false), seen = extent();
      const onLattice = ([j, i], [rows, cols]) => [((j + 0.5) / cols) * w, h - ((i + 0.5) / rows) * h];
      const level = (name, { shape, data }, depth, offset, at) => {
        const found = contours((i, j) => data[(i * shape[1] + j) * depth + offset], shape[0], shape[1], at);
        const drawn = found.map((line) => line.map((point) => onLattice(point, shape)));
        marks.path(name, drawn.map((line) => trace(line.length, (i) => line[i][0], (i) => line[i][1])).join(""));
      };
      if (spec.field) {
        const field = get(spec.field);
        marks.path("explore-field", arrows(field, w / (spec.xlim[1] - spec.xlim[0]), h / (spec.ylim[1] - spec.ylim[0]), (p) => onLattice(p, field.shape)));
        if (spec.nullclines) for (const part of [0, 1]) level("explore-nullcline n" + part, field, 2, part, 0);
      }
      for (const { key, values } of spec.levels || []) for (const at of values) level("explore-level", get(key), 1, 0, at);
      for (const key of spec.curves || [])
        marks.path("explore-curve", curves(get(key)).map(([count, x, y]) => trace(count, (i) => X(x(i)), (i) => Y(y(i)))).join(""));

      let k = 0;
      for (const { key } of spec.paths || []) {
        const all = curves(get(key));
        see(seen, get(key).data);
        for (const [count, x, y] of all) {
          const a = (i) => X(x(i)), b = (i) => Y(y(i)), name = " s" + (k % KINDS);
          marks.path("explore-line" + name, trace(count, a, b));
          marks.path("explore-solid" + name, arrowhead(count, a, b, w, h) + (count ? marker(0, a(0), b(0), 4) : ""));
          if (all.length <= KINDS) k++; // a bundle of many is one color
        }
        if (all.length > KINDS) k++;
      }
      (spec.points || []).forEach((key, kind) => {
        const { data } = get(key);
        marks.path("explore-dot", range(data.length / 2, (i) => marker(kind, X(data[2 * i]), Y(data[2 * i + 1]), 4.5)).join(""));
      });
      for (const { label, at } of spec.notes || []) panel.note(label, X(at[0]), Y(at[1]), "-50%,-50%", w);
      panel.say((spec.paths || []).length ? quiet(seen) : "");
    },

    heat(panel, get) {
      const { spec, back } = panel, { shape: [rows, cols], data } = get(spec.key), { center } = spec, middle = center != null;
      const seen = see(extent(), data), reach = max(abs(seen.high - center), abs(seen.low - center));
      const levels = axis(middle && seen.low <= seen.high ? { low: center - reach, high: center + reach } : seen, spec.limits, false, panel.h / 45);
      // Without limits of its own a matrix is shown as it is written: first row on top, rows and columns numbered from 1.
      const written = !spec.ylim;
      const { X, Y, w, h } = panel.axes({}, {}, false, false, {
        whole: true, xlim: spec.xlim || [0.5, cols + 0.5], ylim: spec.ylim || [0.5, rows + 0.5], down: written,
      });
      const [low, high] = levels.limits, cells = range(TONES, () => ""), right = w + 8;
      const edge = (k, count, size) => round((k / count) * size);
      for (let k = 0; k < data.length; k++) {
        if (!(abs(data[k]) < LARGE)) continue;
        const tone = clamp(floor(((data[k] - low) / (high - low)) * TONES), 0, TONES - 1), j = k % cols, i = floor(k / cols);
        const x = edge(j, cols, w), y = edge(written ? i : rows - 1 - i, rows, h);
        cells[tone] += `M${x} ${y}H${edge(j + 1, cols, w)}V${edge((written ? i : rows - 1 - i) + 1, rows, h)}H${x}z`;
      }
      cells.forEach((path, tone) => {
        const bar = `M${right} ${edge(TONES - tone, TONES, h)}h12V${edge(TONES - tone - 1, TONES, h)}h-12z`;
        back.path("explore-cell", path + bar, "fill:" + shade((tone + 0.5) / TONES, middle));
      });
      const height = scale(levels, h, 0);
      for (const [at, label] of levels.ticks) back.text("explore-tick explore-beside", right + 17, height(at) + panel.em * 0.35, label);
      panel.say(quiet(seen));
    },
  };

  const TONES = 40;
  /** The color at t in 0 … 1, mixed by the browser from the colors of the style sheet, so that it follows light and dark. */
  function shade(t, diverging) {
    const names = diverging ? ["cool", "neutral", "warm"] : ["low", "middle", "high"], half = t < 0.5 ? 0 : 1;
    return `color-mix(in oklab,var(--${names[half + 1]}) ${round((2 * t - half) * 100)}%,var(--${names[half]}))`;
  }

  /** The arrows of a field; their length grows weakly with the speed, so that slow regions can be read as well as fast ones. */
  function arrows({ shape: [rows, cols], data }, unitX, unitY, place) {
    const velocity = (k) => [data[2 * k] * unitX, -data[2 * k + 1] * unitY], speeds = range(rows * cols, (k) => hypot(...velocity(k)));
    const top = max(...speeds.filter((speed) => speed < LARGE)), [x0, y0] = place([0, 0]), [x1, y1] = place([1, 1]);
    const cell = 0.86 * min(x1 - x0, y0 - y1);
    return speeds.map((speed, k) => {
      if (!(speed > 1e-9 * top && speed < LARGE)) return "";
      const length = cell * max(0.3, (speed / top) ** 0.35), [u, v] = velocity(k).map((part) => part / speed);
      const [x, y] = place([k % cols, floor(k / cols)]), dx = (u * length) / 2, dy = (v * length) / 2;
      const tip = pixel(x + dx) + " " + pixel(y + dy), [one, other] = barbs(x + dx, y + dy, u, v, min(5, 0.4 * length));
      return `M${pixel(x - dx)} ${pixel(y - dy)}L${tip}M${one}L${tip}L${other}`;
    }).join("");
  }

  // ------------------------------------------------------------------------------------------------ a panel

  function panel(spec, figure) {
    const grid = svg("g"), inner = svg("svg", { overflow: "hidden" }), words = html("div", { class: "explore-notes", "aria-hidden": true });
    const picture = svg("svg", { class: "explore-svg", role: "img", "aria-label": spec.text || spec.title }, grid, inner);
    const plot = html("div", { class: "explore-plot" }, picture, words);
    const legend = html("div", { class: "explore-legend" });
    const square = spec.kind === "phase" || spec.kind === "heat";
    const notes = layer(words, (tag) => html(tag));
    const self = {
      spec, square, em: 12, h: 0, w: 0, left: 0,
      back: layer(grid, svg),
      marks: layer(inner, svg),
      element: html("div", { class: `explore-panel explore-${spec.kind}` },
        rich("div", "explore-title", spec.title), rich("div", "explore-y", spec.ylabel), plot, rich("div", "explore-x", spec.xlabel), legend),

      /** Take a cell of this width and, for the frame, this height; `digit` is the width of one digit. */
      layout(width, height, em, digit) {
        const right = spec.kind === "heat" ? 30 + 5 * digit : spec.drag ? 18 : em;
        Object.assign(self, { width, h: round(height), em, digit, left: 0, right, top: round(em * (spec.drag ? 1.3 : 0.6)) });
        put(picture, { width, height: self.top + self.h + round(1.2 * em) + 10, viewBox: `0 0 ${width} ${self.top + self.h + round(1.2 * em) + 10}` });
      },

      /** Room for the labels at the left, which never shrinks again before the next layout: the frame must not tremble. */
      place(ticks) {
        const chars = max(3, ...ticks.map(([, label]) => label.replace("^", "").length - (label.includes("^") ? 0.7 : 0)));
        const left = ceil(chars * self.digit + 8);
        if (left <= self.left) return;
        self.w = self.width - left - self.right;
        const spare = square ? max(0, self.w - self.h) : 0;
        self.w -= spare;
        self.left = left + floor(spare / 2);
        put(grid, { transform: `translate(${self.left},${self.top})` });
        // The frame and two pixels around it, so that lines on its edge keep their width.
        const [w, h] = [self.w + 4, self.h + 4];
        put(inner, { x: self.left - 2, y: self.top - 2, width: w, height: h, viewBox: `-2 -2 ${w} ${h}` });
        self.element.style.setProperty("--left", self.left + "px");
        self.element.style.setProperty("--right", self.width - self.left - self.w + "px");
      },

      axes(xs, ys, logX, logY, { whole, xlim, ylim, down } = {}) {
        const { h, em, back } = self, vertical = axis(ys, ylim || spec.ylim, logY, h / 46, down);
        self.place(vertical.ticks);
        const { w } = self, across = axis(xs, xlim || spec.xlim, logX, w / 62, whole);
        const X = scale(across, 0, w), Y = down ? scale(vertical, 0, h) : scale(vertical, h, 0), crisp = (x) => round(x) + 0.5;
        const rules = vertical.ticks.map(([at]) => `M0 ${crisp(Y(at))}H${w}`).concat(across.ticks.map(([at]) => `M${crisp(X(at))} 0V${h}`));
        const small = vertical.minor.map((at) => `M0 ${crisp(Y(at))}h-3`).concat(across.minor.map((at) => `M${crisp(X(at))} ${h}v3`));
        if (spec.kind !== "heat") back.path("explore-grid", rules.join(""));
        back.path("explore-frame", `M.5 ${square ? `.5H${w + 0.5}V${h + 0.5}H.5z` : `0V${h + 0.5}H${w}`}` + small.join(""));
        for (const [at, label] of vertical.ticks) back.text("explore-tick explore-left", -6, Y(at) + 0.35 * em, label);
        for (const [at, label] of across.ticks) back.text("explore-tick", X(at), h + 1.2 * em + 3, label);
        return Object.assign(self, { X, Y });
      },

      /** Words at a point of the frame; the shift is CSS's translation by parts of their own size. */
      note(label, x, y, shift, room) {
        const node = notes.node("SPAN");
        if (node.label !== label) node.innerHTML = node.label = label;
        put(node, { style: `left:${percent(self.left + x, self.width)};top:${percent(self.top + y, picture.memo.height)};transform:translate(${shift});max-width:${floor(room)}px` });
      },
      say(text) {
        self.back.text("explore-quiet", self.w - 6, self.em + 4, text);
      },

      update(result, values) {
        kinds[spec.kind](self, (key) => result[key], values);
        for (const part of [self.back, self.marks, notes]) part.end();
        if (self.handle) self.handle.update(values);
      },
    };

    const names = (spec.series || spec.paths || []).flatMap(({ labels }) => labels || []);
    const sample = { bars: "explore-bar", scatter: "explore-point" }[spec.kind] || "explore-line";
    names.forEach((label, k) => legend.append(html("span", {}, swatch(spec.kind, sample, k), rich("span", "", label))));
    if (spec.nullclines) {
      [spec.xlabel || "<i>x</i>", spec.ylabel || "<i>y</i>"].forEach((label, k) =>
        legend.append(html("span", {}, swatch("line", "explore-nullcline n" + k, 0), rich("span", "", label + " at rest"))));
    }
    if (spec.drag) self.handle = handle(self, plot, figure);
    return self;
  }

  const percent = (part, whole) => `${round((part / whole) * 1e5) / 1e3}%`;

  // ------------------------------------------------------------------------------------------------ the handle in the plane

  /* The handle is an HTML element over the drawing, because what is inside an image does not exist for a screen reader.
     ARIA has no slider with two dimensions.  Both coordinates have native sliders of their own among the controls; the handle
     is a shortcut to them and therefore a `slider` too, whose number is the first coordinate and whose text names both, so that
     every move by an arrow key is spoken.  A finger may drag the handle and scroll the page everywhere else. */
  function handle(panel, plot, figure) {
    const { drag } = panel.spec, controls = drag.map((name) => figure.controls.get(name)), [across] = controls;
    const knob = html("div", {
      class: "explore-handle", role: "slider", tabindex: 0,
      "aria-label": `Point at ${controls.map((c) => c.spec.text).join(" and ")}; arrow keys move it`,
      "aria-valuemin": across.spec.low, "aria-valuemax": across.spec.high,
    });
    plot.append(knob);
    plot.classList.add("explore-draggable");
    let grab = null; // how far from the knob's center it is held

    const pointer = ({ clientX, clientY }) => {
      const box = plot.getBoundingClientRect();
      return [clientX - box.left - panel.left, clientY - box.top - panel.top];
    };
    const [xlim, ylim] = [panel.spec.xlim, panel.spec.ylim];
    const move = (x, y) => figure.change({
      [drag[0]]: clamp(xlim[0] + (x / panel.w) * (xlim[1] - xlim[0]), ...xlim),
      [drag[1]]: clamp(ylim[1] - (y / panel.h) * (ylim[1] - ylim[0]), ...ylim),
    });
    const inside = ([x, y]) => x >= 0 && y >= 0 && x <= panel.w && y <= panel.h;
    const spot = () => [clamp(panel.X(controls[0].value), 0, panel.w), clamp(panel.Y(controls[1].value), 0, panel.h)];

    plot.addEventListener("pointerdown", (event) => {
      const at = pointer(event), held = event.target === knob;
      if (event.button || !(held || (event.pointerType === "mouse" && inside(at)))) return;
      event.preventDefault(); // no selection of text; hence the focus by hand
      knob.focus({ preventScroll: true });
      knob.setPointerCapture(event.pointerId);
      grab = held ? spot().map((p, i) => p - at[i]) : [0, 0];
      if (!held) move(...at);
    });
    knob.addEventListener("pointermove", (event) => {
      if (grab) move(...pointer(event).map((p, i) => p + grab[i]));
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) knob.addEventListener(end, () => (grab = null));
    plot.addEventListener("click", (event) => { // a tap in the plane; a swipe is no click
      const at = pointer(event);
      if (event.pointerType !== "mouse" && event.target !== knob && inside(at)) move(...at);
    });
    knob.addEventListener("keydown", (event) => {
      const arrow = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowDown: [1, -1], ArrowUp: [1, 1] }[event.key];
      if (!arrow) return;
      event.preventDefault();
      const control = controls[arrow[0]];
      figure.change({ [drag[arrow[0]]]: control.stepped(arrow[1] * (event.shiftKey ? 10 : 1)) });
    });
    return {
      update() {
        const [x, y] = spot(), height = panel.top + panel.h + round(1.2 * panel.em) + 10;
        put(knob, {
          style: `left:${percent(panel.left + x, panel.width)};top:${percent(panel.top + y, height)}`,
          "aria-valuenow": across.value, "aria-valuetext": controls.map((c) => c.spoken()).join(", "),
        });
      },
    };
  }

  // ------------------------------------------------------------------------------------------------ controls

  let count = 0; // of all controls, for ids

  /** A slider or a choice: `value`, which `take` changes, and the elements that show it. */
  function control(spec, figure) {
    const id = "explore-control-" + ++count, label = rich("label", "", spec.label), output = html("output", { for: id });
    label.htmlFor = id;
    const self = (spec.kind === "slider" ? slider : choice)(spec, id, output);
    self.input.addEventListener("input", () => figure.change({ [spec.name]: self.read() }));
    return Object.assign(self, {
      spec,
      value: spec.value,
      element: html("div", { class: "explore-control" }, label, output, self.input),
      take(value) {
        self.value = value;
        self.show(value);
      },
      spoken: () => `${spec.text} ${self.text(self.value)}`,
    });
  }

  function slider(spec, id, output) {
    const { log, low, high, step } = spec, track = log ? log10 : Number, from = track(low), to = track(high), text = printer(spec);
    // The last step must not be lost to rounding: browsers count steps from the low end.
    const input = html("input", { type: "range", id, min: from, max: to + step * 1e-6, step, value: track(spec.value) });
    const value = (p) => (p >= to - step * 1e-5 ? high : p <= from ? low : log ? 10 ** p : p);
    output.style.minWidth = max(text(low).length, text(high).length) + "ch";
    return {
      input, text, track: [from, to],
      read: () => value(Number(input.value)),
      check: (v) => clamp(v, low, high),
      stepped(steps) {
        return value(track(this.value) + steps * step);
      },
      /** The value at a part of the track, on a step. */
      part: (p) => value(from + round((p * (to - from)) / step) * step),
      where: (v) => (track(v) - from) / (to - from),
      show(v) {
        input.value = track(v);
        write(output, text(v));
        input.setAttribute("aria-valuetext", this.spoken());
      },
    };
  }

  function choice({ options }, id, output) {
    const input = html("select", { id }, ...options.map((option, value) => html("option", { value }, option)));
    output.hidden = true; // the select itself shows it
    return {
      input,
      text: (v) => options[v],
      read: () => Number(input.value),
      check: (v) => clamp(round(v), 0, options.length - 1),
      show: (v) => (input.value = v),
    };
  }

  /** Sweeps one slider to and fro; where motion is unwelcome, in a few slow steps. */
  function player(control, figure) {
    const button = html("button", { type: "button", class: "explore-play", "aria-pressed": false, "aria-label": "Play " + control.spec.text });
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    let stop = null; // ends what is playing
    let direction = 1;
    function start() {
      let at = control.where(control.value), last = performance.now(), timer;
      const next = () => (timer = still.matches ? setTimeout(tick, 1200) : requestAnimationFrame(tick));
      const tick = () => {
        const now = performance.now(), step = still.matches ? 1 / 8 : (now - last) / 6000;
        if (!button.isConnected || document.hidden) return pause();
        if (at + direction * step > 1 + 1e-9 || at + direction * step < -1e-9) direction = -direction;
        at = clamp(at + direction * step, 0, 1);
        last = now;
        figure.set({ [control.spec.name]: control.part(at) });
        next();
      };
      stop = () => {
        clearTimeout(timer);
        cancelAnimationFrame(timer);
      };
      next();
      show();
    }
    function pause() {
      if (stop) stop();
      stop = null;
      show();
    }
    const show = () => {
      button.setAttribute("aria-pressed", Boolean(stop));
      write(button, stop ? "Pause" : "Play");
    };
    button.addEventListener("click", () => (stop ? pause() : start()));
    show();
    return { button, pause, playing: () => Boolean(stop), name: control.spec.name };
  }

  // ------------------------------------------------------------------------------------------------ the summary

  /** The line of text under a figure, and a live region that speaks it when it has come to rest. */
  function summary(parts, controls, busy) {
    const shown = html("span"), room = html("span", { class: "explore-room" }), status = html("p", { class: "explore-hidden", role: "status" });
    const element = html("p", { class: "explore-summary", "aria-hidden": true }, shown, room);
    const word = (words, v) => (Number.isFinite(v) ? words[clamp(round(v), 0, words.length - 1)] : "undefined");
    const longest = (words) => words.reduce((a, b) => (b.length > a.length ? b : a));
    let widest = "", timer = 0;
    const text = (result, pick) => parts.map((part) => {
      if (typeof part === "string") return part;
      const control = part.control && controls.get(part.control);
      const v = control ? control.value : result[part.key].data[0];
      if (control && !part.format) return control.text(v);
      return part.words ? pick(part.words, v) : format(v, part.format);
    }).join("");
    const speak = () => {
      if (busy()) timer = setTimeout(speak, 800);
      else write(status, shown.textContent);
    };
    return {
      elements: parts ? [element, status] : [],
      update(result) {
        if (!parts) return;
        const first = !shown.textContent;
        write(shown, text(result, word));
        // An invisible copy with the longest words, and the longest text so far, keeps as many lines as will be needed.
        const full = text(result, longest);
        if (full.length > widest.length) write(room, (widest = full));
        clearTimeout(timer);
        if (first) write(status, shown.textContent);
        else timer = setTimeout(speak, 800);
      },
      stop: () => clearTimeout(timer),
    };
  }

  // ------------------------------------------------------------------------------------------------ the figure

  const GAP = 24, SIDE = 224; // between panels; the controls beside a single panel

  function mount(element, spec, compute) {
    if (element.explore) element.explore.destroy();
    compute = compute || (spec.grid && table(spec.grid));
    if (typeof compute !== "function") throw new TypeError(`learndynExplore.mount: figure ${spec.id} needs a function that computes it, but got ${compute}`);

    const controls = new Map(), seconds = { compute: 0, draw: 0 };
    let frame = 0, updates = 0, running = false, again = false, gone = false, width = 0, result = null;

    /** Values from outside, from a key, from the pointer: clamped, shown, and computed in the next frame. */
    function set(values) {
      for (const name in values) {
        const control = controls.get(name), value = Number(values[name]);
        if (!control) throw new RangeError(`learndynExplore: there is no control ${name}; there are ${[...controls.keys()].join(", ")}`);
        if (value !== value) throw new RangeError(`learndynExplore: ${name} must be a number, but is ${values[name]}`);
        control.take(control.check(value));
      }
      request();
    }
    /** The reader's own change: who touches the slider that plays, stops it. */
    function change(values) {
      if (play && play.name in values) play.pause();
      set(values);
    }
    const request = () => {
      if (!frame && !gone) frame = requestAnimationFrame(run);
    };

    function run() {
      frame = 0;
      if (running) { // the newest values are computed when the answer to the last ones is there
        again = true;
        return;
      }
      const began = performance.now();
      const settle = (show) => {
        running = false;
        if (gone) return;
        show();
        if (again) request();
        again = false;
      };
      const good = (answer) => settle(() => {
        seconds.compute = (performance.now() - began) / 1000;
        result = answer;
        fail("");
        draw();
      });
      const bad = (error) => settle(() => fail(`This could not be computed: ${error.message}`));
      let answer;
      try {
        answer = compute(...[...controls.values()].map((control) => control.value));
      } catch (error) {
        bad(error);
        return;
      }
      if (answer && answer.then) {
        running = true;
        answer.then(good, bad);
      } else good(answer);
    }

    function draw() {
      if (!width || !result) return;
      const began = performance.now();
      for (const panel of panels) panel.update(result);
      text.update(result);
      seconds.draw = (performance.now() - began) / 1000;
      updates++;
    }

    /** Side by side where there is room, and all frames of a row of one height. */
    function layout(room) {
      width = room;
      const total = panels.length, beside = total === 1 && controls.size > 0 && room >= 600;
      if (beside) room -= SIDE + GAP;
      let across = clamp(floor(room / 280), 1, total);
      if (total === 4 && across === 3) across = 2;
      const cell = floor((room - GAP * (across - 1)) / across), style = getComputedStyle(element);
      const em = max(11, 0.82 * parseFloat(style.fontSize)), pen = document.createElement("canvas").getContext("2d");
      pen.font = `${em}px ${style.fontFamily}`;
      const digit = pen.measureText("0").width, side = min(cell - 3 * digit - 8 - em - 6, 400);
      element.classList.toggle("explore-aside", beside);
      for (const [name, value] of [["columns", across], ["gap", GAP + "px"], ["side", SIDE + "px"], ["em", em + "px"]])
        element.style.setProperty("--" + name, value);
      panels.forEach((panel, i) => {
        const last = across > 1 && i === total - 1 && total % across === 1;
        panel.element.classList.toggle("explore-wide", last);
        const low = last ? 0.8 * side : clamp(0.66 * side, 150, 300);
        panel.layout(last ? room : cell, panel.square || (across > 1 && !last && panels.some((p) => p.square)) ? side : low, em, digit);
      });
      draw();
    }

    const fail = (message) => {
      write(error, message);
      error.hidden = !message;
    };

    const figure = { controls, change, set };
    for (const c of spec.controls) controls.set(c.name, control(c, figure));
    const play = spec.play ? player(controls.get(spec.play), figure) : null;
    const panels = spec.panels.map((p) => panel(p, figure));
    const text = summary(spec.summary, controls, () => play && play.playing());
    const error = html("p", { class: "explore-error", role: "alert", hidden: "" });
    const back = html("button", { type: "button", class: "explore-reset" }, "Reset");
    const buttons = html("div", { class: "explore-buttons" }, ...(play ? [play.button] : []), back);
    back.addEventListener("click", reset);

    const board = html("div", { class: "explore-controls", role: "group", "aria-label": "Controls" }, ...[...controls.values()].map((c) => c.element), buttons);
    const described = "explore-alt-" + ++count;
    const body = html("div", { class: "explore-body", role: "group", "aria-label": "Interactive figure", "aria-describedby": described, "data-lm-suppress-shortcuts": true },
      html("p", { id: described, class: "explore-hidden" }, spec.alt),
      ...(controls.size ? [board] : []),
      html("div", { class: "explore-panels" }, ...panels.map((p) => p.element)),
      ...text.elements, error);
    // Keys that a control needs are not for the page around it: JupyterLab moves between cells by arrows.
    body.addEventListener("keydown", (event) => {
      if (/^(Arrow|Page|Home|End|Enter| )/.test(event.key)) event.stopPropagation();
    });

    function reset() {
      if (play) play.pause();
      set(Object.fromEntries(spec.controls.map((c) => [c.name, c.value])));
    }
    const handle = {
      get values() { return Object.fromEntries([...controls].map(([name, c]) => [name, c.value])); },
      get updates() { return updates; },
      seconds, set, reset,
      /** Compute once more with the same values: the numbers behind them have changed. */
      refresh: request,
      destroy() {
        gone = true;
        cancelAnimationFrame(frame);
        if (play) play.pause();
        text.stop();
        sizes.disconnect();
        sight.disconnect();
        body.remove();
        delete element.explore;
      },
    };

    element.classList.add("explore");
    element.replaceChildren(body);
    element.explore = handle;
    for (const c of controls.values()) c.take(c.value);
    const sizes = new ResizeObserver(([{ contentRect }]) => {
      const room = floor(contentRect.width);
      if (room && room !== width) requestAnimationFrame(() => gone || layout(room)); // not inside the observation, which would loop
    });
    const sight = new IntersectionObserver((entries) => {
      if (play && !entries[entries.length - 1].isIntersecting) play.pause();
    });
    layout(floor(body.getBoundingClientRect().width));
    run();
    sizes.observe(body);
    sight.observe(body);
    return handle;
  }

  // ------------------------------------------------------------------------------------------------ numbers from a table

  /** A function that interpolates between precomputed results: multilinear over the axes of sliders, exact over those of choices. */
  function table({ axes, fields, data }) {
    const counts = axes.map((a) => a.options || a.points);
    const unpacked = unpack(data).then((codes) => {
      let start = 0;
      return fields.map(({ key, shape, low, high }) => {
        const size = shape.reduce((a, b) => a * b, 1), cells = counts.reduce((a, b) => a * b, 1);
        const field = { key, shape, size, low, unit: (high - low) / 65535, codes: codes.subarray(start, (start += size * cells)) };
        // Each frame is coded by differences; an array of 16 bits adds modulo 65536.
        for (let k = 0; k < field.codes.length; k++) if (k % size) field.codes[k] += field.codes[k - 1];
        return field;
      });
    });
    let fields16 = null;
    const frame = (values) => {
      let corners = [[0, 1]]; // [cell, weight]
      axes.forEach((a, k) => {
        const track = a.log ? log10 : Number;
        const at = a.options ? values[k] : clamp(((track(values[k]) - track(a.low)) / (track(a.high) - track(a.low))) * (a.points - 1), 0, a.points - 1);
        const below = min(floor(at), max(counts[k] - 2, 0)), part = at - below;
        corners = corners.flatMap(([cell, weight]) => [[cell * counts[k] + below, weight * (1 - part)], [cell * counts[k] + below + 1, weight * part]])
          .filter(([, weight]) => weight > 0);
      });
      return Object.fromEntries(fields16.map(({ key, shape, size, low, unit, codes }) => {
        const sum = new Float64Array(size).fill(low);
        for (const [cell, weight] of corners) for (let i = 0; i < size; i++) sum[i] += weight * unit * codes[cell * size + i];
        return [key, { shape, data: sum }];
      }));
    };
    return (...values) => (fields16 ? frame(values) : unpacked.then((ready) => ((fields16 = ready), frame(values))));
  }

  async function unpack(base64) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint16Array(await new Response(stream).arrayBuffer());
  }

  // ------------------------------------------------------------------------------------------------ numbers from a kernel

  const PATIENCE = 500; // ms; an answer that equals the last one is never sent, so waiting must end by itself

  /** anywidget's render: each control is a trait; Python answers a change by `_layout` and `_frame`, or by `_error`. */
  function live({ model, el }) {
    const spec = model.get("_spec"), box = el.appendChild(html("div")), names = spec.controls.map((c) => c.name);
    let waiting = null; // resolves when the kernel has answered the request under way

    function read() {
      if (model.get("_error")) throw new Error(model.get("_error"));
      const { buffer, byteOffset, byteLength } = model.get("_frame");
      const numbers = new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength)); // a copy is aligned
      let start = 0;
      return Object.fromEntries(model.get("_layout").map(([key, shape]) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return [key, { shape, data: numbers.subarray(start, (start += size)) }];
      }));
    }
    function compute(...values) {
      const changed = names.filter((name, k) => model.get(name) !== values[k]);
      if (!changed.length) return read();
      for (const name of changed) model.set(name, values[names.indexOf(name)]);
      model.save_changes();
      return new Promise((resolve) => {
        const timer = setTimeout(() => waiting(), PATIENCE);
        waiting = () => {
          clearTimeout(timer);
          waiting = null;
          resolve();
        };
      }).then(read);
    }
    const answered = () => (waiting ? waiting() : figure.refresh());
    const moved = names.map((name) => () => {
      if (figure.values[name] !== model.get(name)) figure.set({ [name]: model.get(name) });
    });
    const figure = mount(box, { ...spec, controls: spec.controls.map((c) => ({ ...c })) }, compute);
    moved.forEach((move) => move()); // a second view shows what the first one has set
    model.on("change:_frame", answered);
    model.on("change:_error", answered);
    names.forEach((name, k) => model.on("change:" + name, moved[k]));
    return () => {
      model.off("change:_frame", answered);
      model.off("change:_error", answered);
      names.forEach((name, k) => model.off("change:" + name, moved[k]));
      figure.destroy();
      box.remove();
    };
  }

  // ------------------------------------------------------------------------------------------------ start

  function start(root = document) {
    for (const holder of root.querySelectorAll("div.explore script.explore-spec")) {
      const spec = JSON.parse(holder.textContent), element = holder.closest("div.explore");
      mount(element, spec, api.figures[spec.id]);
    }
  }

  Object.assign(api, { mount, start, live, figures: api.figures || {} });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => start());
  else start();
})();
