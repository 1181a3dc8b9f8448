"""Eight minutes of two small offices, as logs of Zeek and Suricata; `deploy/sample` makes them."""
