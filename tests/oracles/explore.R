# Rscript tests/oracles/explore.R data/walmart_sales_weekly.csv OUT_FILE   (R 4.2.2, forecast 8.20, tseries 0.10)
# Each series of the bundled sales and the total, a season of 52: strengths of trend and season by mstl, differences as
# auto.arima takes them, KPSS and ADF p-values, tests of the remainder, and the total's autocorrelations.
suppressMessages({library(forecast); library(tseries)}); args <- commandArgs(TRUE); d <- read.csv(args[1])
d <- d[order(d$Dept, d$Date), ]; f <- function(v) formatC(v, digits=12, format="g")
cat("# R, forecast and tseries: Rscript tests/oracles/explore.R; tolerance 1e-6\nseries,what,at,value\n", file=args[2])
put <- function(...) cat(paste(..., sep=","), sep="\n", file=args[2], append=TRUE)
series <- split(d$Weekly_Sales, d$Dept); series$total <- Reduce(`+`, series)
for (name in names(series)) { y <- series[[name]]; x <- ts(y, frequency=52)
 parts <- mstl(x); r <- remainder(parts); strength <- function(part) max(0, 1 - var(r) / var(r + part))
 put(name, "trend", 0, f(strength(trendcycle(parts)))); put(name, "season", 0, f(strength(seasonal(parts))))
 D <- nsdiffs(x); put(name, "nsdiffs", 0, D); put(name, "ndiffs", 0, ndiffs(if (D) diff(y, 52) else y))
 put(name, "kpss", 0, f(suppressWarnings(kpss.test(y, "Level")$p.value)))
 put(name, "jarque", 0, f(jarque.bera.test(as.numeric(r))$p.value)); put(name, "shapiro", 0, f(shapiro.test(r)$p.value)) }
y <- series$total; put("total", "acf", 1:60, f(acf(y, 60, plot=FALSE)$acf[-1])); put("total", "pacf", 1:60, f(pacf(y, 60, plot=FALSE)$acf))
put("total", "ljung", 28, f(Box.test(y, 28, "Ljung")$p.value))
