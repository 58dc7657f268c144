// Stock and orders.

const ordersShown = () => {
  if (G.orders) return G.orders;
  const on = new Uint8Array(N),
    O = D.orders;
  G.chosen.forEach(i => {
    on[i] = 1;
  });
  return (G.orders = O.series
    .map((_, o) => o)
    .filter(o => (O.series[o] === null ? G.chosen.length === N : on[O.series[o]])));
};
const itemOf = o => titled(k => D.orders.items[o][k]);
const ORDER_BARS = 20;
let ordersTop = [];
const ON_HAND = 'On hand and on order';
const orderRows = () => {
  const O = D.orders,
    list = ordersShown();
  return {
    head: ['Item', 'To order', ON_HAND, 'Order-up-to level', 'Expected demand', 'Stockout risk', 'Reason'],
    rows: best(
      Float64Array.from(O.order, v => v ?? NaN),
      list,
      list.length,
      true,
    ).map(o => [
      itemOf(o),
      O.order[o] ?? NaN,
      O.position[o] ?? NaN,
      O.level[o] ?? NaN,
      O.mean[o] ?? NaN,
      O.risk[o] === null ? NaN : 100 * O.risk[o],
      O.reason[o],
    ]),
  };
};
const drawOrders = () => {
  if (!D.orders) return;
  const O = D.orders,
    list = ordersShown();
  ordersTop = best(
    Float64Array.from(O.order, v => v ?? NaN),
    list,
    ORDER_BARS,
    true,
  );
  $('orders-say').textContent =
    `${H.orders} Shown: ${plural(list.length, 'item')}` +
    (list.length > ordersTop.length ? `; the chart has the ${ordersTop.length} largest orders.` : '.');
  if (S.plain.has('orders'))
    return table('orders-plain', orderRows(), (value, c) => (c === 5 ? percent(value) : about(value)));
  $('orders').style.height = clamp(90 + 24 * ordersTop.length, 160, 640) + 'px';
  const y = ordersTop.map((_, r) => r),
    bar = (name, x, color) => ({
      type: 'bar',
      orientation: 'h',
      name,
      x,
      y,
      marker: { color },
      customdata: x.map(about),
      hovertemplate: '%{customdata}',
      width: 0.7,
    });
  plot(
    'orders',
    [
      bar(
        ON_HAND,
        ordersTop.map(o => O.position[o]),
        ink.edge,
      ),
      bar(
        'To order',
        ordersTop.map(o => O.order[o]),
        ink.accent,
      ),
      {
        type: 'scatter',
        mode: 'markers',
        name: 'Expected demand',
        x: ordersTop.map(o => O.mean[o]),
        y,
        marker: { symbol: 'line-ns', size: 16, line: { width: 3, color: ink.ink } },
        customdata: ordersTop.map(o => about(O.mean[o])),
        hovertemplate: '%{customdata}',
      },
    ],
    layout({
      barmode: 'stack',
      hovermode: 'y unified',
      dragmode: false,
      showlegend: true,
      legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', font: { color: ink.soft } },
      margin: { l: width('orders') < 500 ? 100 : 210, r: 16, t: 34, b: H.unit ? 46 : 30 },
      xaxis: amounts({ nticks: 6, title: H.unit ? { text: tame(H.unit), standoff: 6 } : undefined }),
      yaxis: axis({
        tickvals: y,
        ticktext: ordersTop.map(o => tame(cut(itemOf(o), width('orders') < 500 ? 13 : 28))),
        autorange: 'reversed',
        showgrid: false,
      }),
    }),
  );
};
const openOrder = r => {
  const i = D.orders.series[ordersTop[r]];
  if (i !== null && i !== undefined) open('series', i);
};
