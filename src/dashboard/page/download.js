// The data behind a chart as a file.

const download = (file, { head, rows }) => {
  // A text that a spreadsheet would take for a formula is kept from being one.
  const cell = value =>
    typeof value === 'number'
      ? Number.isFinite(value)
        ? String(Number(value.toPrecision(12)))
        : ''
      : /[",\r\n]/.test(value) || /^[=+@\t]/.test(value) || /^-\D/.test(value)
        ? `"${(/^[=+@\t-]/.test(value) ? "'" : '') + value.replace(/"/g, '""')}"`
        : value;
  const text = '\ufeff' + [head, ...rows].map(row => row.map(cell).join(',')).join('\r\n') + '\r\n';
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' })),
    link = el('a', { href: url, download: file });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 5000);
};
