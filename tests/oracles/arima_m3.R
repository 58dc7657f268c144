# Automatic ARIMA of 200 M3 series: orders and AICc.
# Rscript tests/oracles/arima_m3.R FOLDER > tests/oracles/arima_m3.csv   (R 4.2.2, forecast 8.20)
# FOLDER: m3_yearly.csv, m3_other.csv, m3_quarterly.csv, m3_monthly.csv, one series a line: id;y1,y2,...;test
# Tolerance: the same orders, or an AICc no more than 0.01 higher, in 95 % of the series.
suppressMessages(library(forecast))
folder <- commandArgs(TRUE)[1]
cat("set,id,season,order,seasonal,constant,aicc\n")
for (set in list(c("m3_yearly", 13, 40, 1), c("m3_other", 8, 20, 1), c("m3_quarterly", 9, 60, 4), c("m3_monthly", 7, 80, 12))) {
  lines <- readLines(file.path(folder, paste0(set[1], ".csv")))
  for (i in seq(1, by = as.integer(set[2]), length.out = as.integer(set[3]))) {
    cells <- strsplit(lines[i], ";")[[1]]
    y <- ts(as.numeric(strsplit(cells[2], ",")[[1]]), frequency = as.integer(set[4]))
    fit <- auto.arima(y)
    constant <- any(c("intercept", "drift") %in% names(coef(fit)))
    cat(set[1], cells[1], set[4], paste(fit$arma[c(1, 6, 2)], collapse = " "), paste(fit$arma[c(3, 7, 4)], collapse = " "),
        as.integer(constant), sprintf("%.6f", fit$aicc), sep = ",")
    cat("\n")
  }
}
