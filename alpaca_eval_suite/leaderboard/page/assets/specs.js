// Vega-Lite specifications, as functions of the points they show.

const SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"; // a name that is never loaded
const narrow = () => innerWidth < 700;

const model = (limit = 280) => ({
  field: "model", type: "nominal", sort: null,
  axis: { title: null, labelLimit: narrow() ? 130 : limit, ticks: false, domain: false, labelPadding: 8 },
});
const interval = (channel, other) => ({
  mark: { type: "rule", strokeWidth: 2, opacity: 0.55 },
  encoding: { [channel]: { field: "low", type: "quantitative" }, [`${channel}2`]: { field: "high" }, ...other },
});
const tooltip = { field: "tip" };
const common = (values) => ({ $schema: SCHEMA, data: { values }, width: "container" });

/** A dashed line across the plot. */
const line = (channel, at) => ({
  data: { values: [{ at }] }, mark: { type: "rule", strokeDash: [4, 4], style: "quiet" },
  encoding: { [channel]: { field: "at", type: "quantitative" } },
});

/** A line a model: its interval, and the rate as a point; a dashed line at `reference`, where there is one. */
export function forest(values, title, reference) {
  const x = { field: "value", type: "quantitative", title, scale: { zero: false, nice: true }, axis: { orient: "top", tickCount: 8 } };
  const reached = (test) => values.some(({ low, high, value }) => test(low ?? value) || test(high ?? value));
  const inside = reference !== null && reached((end) => end <= reference) && reached((end) => end >= reference);
  return {
    ...common(values), height: 22 * values.length, layer: [
      ...(inside ? [line("x", reference)] : []),
      interval("x", { y: model() }),
      { mark: { type: "point", filled: true, size: 70, opacity: 1, cursor: "pointer" }, encoding: { x, y: model(), tooltip } },
    ],
  };
}

/** The rate against the mean length; a dashed line at the baseline's. Points with room for it have their name. */
export function lengths(values, title, baseline) {
  const axis = { tickCount: narrow() ? 5 : 9 };
  const x = { field: "length", type: "quantitative", title: "Mean length of the outputs, characters", scale: { zero: false, nice: true }, axis };
  const y = { field: "value", type: "quantitative", title, scale: { zero: false, nice: true }, axis };
  return {
    ...common(values), height: narrow() ? 320 : 480, layer: [
      ...(baseline === null ? [] : [line("x", baseline)]),
      interval("y", { x }),
      { mark: { type: "point", filled: true, size: 70, opacity: 0.9, cursor: "pointer" }, encoding: { x, y, tooltip } },
      {
        data: { values: narrow() ? [] : withRoom(values, baseline) }, mark: { type: "text", align: "left", dx: 9, limit: 150 },
        encoding: { x, y, text: { field: "model" } },
      },
    ],
  };
}

/** The points without another close to the right of them, where their name would stand. */
function withRoom(values, baseline) {
  const span = (numbers) => Math.max(...numbers) - Math.min(...numbers) || 1;
  const lengths = [...values.map(({ length }) => length), baseline ?? values[0].length];
  const [width, height, right] = [span(lengths), span(values.map(({ value }) => value)), Math.max(...lengths)];
  return values.filter((a) => a.length < right - 0.15 * width && values.every((b) =>
    a === b || Math.abs(b.value - a.value) > 0.04 * height || b.length < a.length - 0.22 * width || b.length > a.length + 0.22 * width));
}

/** A bar a model with its interval, on one rate of a probe. */
export function bars(values) {
  const x = { field: "value", type: "quantitative", title: null, scale: { domainMin: 0 }, axis: { tickCount: 5 } };
  return {
    ...common(values), height: 20 * values.length, layer: [
      { mark: { type: "bar", opacity: 0.45, height: { band: 0.7 }, cursor: "pointer" }, encoding: { x, y: model(170), tooltip } },
      interval("x", { y: model(170) }),
    ],
  };
}

/** A square a pair, coloured by the difference, pale and without a number where it does not hold. */
export function headToHead(values, names) {
  const most = Math.min(30, Math.max(1, ...values.map(({ difference }) => Math.abs(difference)))); // one outlier must not pale the rest
  const side = Math.max(22, Math.min(40, 900 / names.length));
  const axis = { title: null, labelLimit: 200, ticks: false, domain: false };
  const color = {
    field: "difference", type: "quantitative", title: "points ahead", legend: { orient: "bottom", gradientLength: 200 },
    scale: { scheme: "purpleorange", reverse: true, domain: [-most, most], clamp: true },
  };
  const opacity = { condition: { test: "datum.holds", value: 1 }, value: 0.25 };
  const ink = { condition: { test: `abs(datum.difference) > ${0.7 * most}`, value: "white" }, value: "#1b1b1f" };
  return {
    $schema: SCHEMA, data: { values }, width: { step: side }, height: { step: side },
    encoding: {
      y: { field: "row", type: "nominal", sort: names, axis },
      x: { field: "column", type: "nominal", sort: names, axis: { ...axis, orient: "top", labelAngle: -60 } },
    },
    layer: [
      { mark: { type: "rect", cursor: "pointer" }, encoding: { color, opacity, tooltip } },
      { mark: { type: "text", fontSize: side < 28 ? 9 : 11 }, encoding: { text: { field: "shown" }, color: ink, tooltip } },
    ],
  };
}
