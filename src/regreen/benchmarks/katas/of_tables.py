"""Operations on a table: a dictionary from words to numbers."""

from regreen.benchmarks.katas.operation import operation

OPERATIONS = (
    operation("plus_values", "dict dict", "add K to each value of the table | increase each value of the table by K",
        "{k: v + K for k, v in x.items()}; {k: x[k] + K for k in x}", 1, 2, 5),
    operation("times_values", "dict dict",
        "multiply each value of the table by K | scale each value of the table by K",
        "{k: v * K for k, v in x.items()}; {k: x[k] * K for k in x}", 2, 3, 10),
    operation("keep_values", "dict dict",
        "keep the entries of the table with a value greater than K "
        "| remove the entries of the table with a value of K or less",
        "{k: v for k, v in x.items() if v > K}; {k: x[k] for k in x if x[k] > K}", 1, 3, 5),
    operation("drop_key", "dict dict", "remove the key K from the table | drop the entry of the key K from the table",
        "{k: v for k, v in x.items() if k != K}; {k: x[k] for k in x if k != K}", "a", "b", "cat", "red"),
    operation("value_of", "dict int", "take the value of the key K | look up the key K in the table",
        "x[K]", "a", "b", "cat"),
    operation("value_or_zero", "dict int",
        "take the value of the key K or 0 if it is missing | look up the key K in the table with 0 if it is missing",
        "x.get(K, 0); x[K] if K in x else 0", "a", "b", "cat", "red"),
    operation("sum_values", "dict int", "add up the values of the table | take the sum of the values of the table",
        "sum(x.values()); sum(x[k] for k in x)"),
    operation("top_value", "dict int", "take the largest value of the table | find the largest value of the table",
        "max(x.values()); max(x[k] for k in x)"),
    operation("count_keys", "dict int", "count the keys of the table | say how many entries the table has", "len(x)"),
    operation("keys_sorted", "dict strs",
        "list the keys of the table in alphabetical order | sort the keys of the table from a to z",
        "sorted(x); sorted(x.keys())"),
    operation("keys_by_value", "dict strs",
        "list the keys of the table by value with the smallest first "
        "| sort the keys of the table by their values from smallest to largest",
        "sorted(x, key=x.get); sorted(x, key=lambda k: x[k])"),
    operation("keys_above", "dict strs",
        "list the keys of the table with a value greater than K "
        "| list each key of the table whose value is greater than K",
        "[k for k, v in x.items() if v > K]; [k for k in x if x[k] > K]", 1, 3, 5),
    operation("values", "dict ints", "list the values of the table | make a list of the values of the table",
        "list(x.values()); [x[k] for k in x]"),
    operation("top_key", "dict str",
        "take the key of the largest value and of equals the first "
        "| find the first key with the largest value of the table",
        "max(x, key=x.get); max(x, key=lambda k: x[k])"),
    operation("has_more", "dict bool", "tell whether the table has more than K keys | check if it has over K keys",
        "len(x) > K; K < len(x)", 2, 3),
)  # fmt: skip
