using Maplog.Events;

namespace Maplog.Cli.Describing;

/// <summary>Applies hints to a description. Hints for fields that do not exist, or with a kind of another size, are refused.</summary>
internal static class FieldHints
{
    /// <param name="fields">The description so far; null: none.</param>
    /// <param name="own">
    /// The description in the log: hints with places define the fields of a side only if the log does not describe that side.
    /// </param>
    /// <param name="shape">The map's sizes.</param>
    /// <param name="hints">The hints as they were written.</param>
    /// <exception cref="UsageException">A hint does not fit.</exception>
    public static MapFields Apply(MapFields? fields, MapFields? own, MapShape shape, IEnumerable<string> hints)
    {
        var parsed = hints.Select(FieldHint.Parse).ToList();
        return new MapFields(
            Side(fields?.Key, own?.Key, shape.KeySize, "key", [.. parsed.Where(h => h.Side == "key")]),
            Side(fields?.Value, own?.Value, shape.ValueSize, "value", [.. parsed.Where(h => h.Side == "value")]));
    }

    private static FieldType? Side(FieldType? type, FieldType? own, int size, string side, List<FieldHint> hints)
    {
        if (hints.Any(h => h.At is not null))
        {
            if (own is not null)
                throw new UsageException($"--hint: the map's BTF describes the fields of its {side}: name one of these fields, without @.");
            type = Made(size, side, [.. hints.Where(h => h.At is not null)]);
        }
        foreach (var hint in hints.Where(h => h.At is null))
        {
            if (hint.Path.Length == 0)
                type = Replaced(hint, type ?? new FieldType(FieldKind.Bytes, size));
            else if (type is null)
                throw new UsageException($"--hint: the fields of the {side} are unknown, so '{hint.Text}' names no field: take the type from an object file with --btf, or give the field's place as in {side}.{hint.Path}@0:4=KIND.");
            else
                type = With(hint, type, hint.Path.Replace("[]", ".[]", StringComparison.Ordinal).Split('.'), 0);
        }
        return type;
    }

    private static FieldType With(FieldHint hint, FieldType type, string[] steps, int step)
    {
        if (step == steps.Length)
            return Replaced(hint, type);
        if (steps[step] == "[]" && type.Kind == FieldKind.Array)
            return type with { Of = With(hint, type.Of!, steps, step + 1) };
        var fields = type.Fields ?? [];
        var at = fields.ToList().FindIndex(f => f.Name == steps[step]);
        if (at < 0)
        {
            var near = Near.Names(steps[step], fields.Select(f => f.Name!));
            var path = string.Join('.', steps.Take(step).Prepend(hint.Side));
            throw new UsageException($"--hint: {path} has no field '{steps[step]}'"
                + (near.Count > 0 ? $". Did you mean {string.Join(" or ", near)}?" : fields.Count > 0 ? $": it has {string.Join(", ", fields.Select(f => f.Name))}." : "."));
        }
        return type with { Fields = [.. fields.Select((f, i) => i == at ? With(hint, f, steps, step + 1) : f)] };
    }

    private static FieldType Replaced(FieldHint hint, FieldType type)
    {
        if (type.Kind == FieldKind.Bits)
            throw new UsageException($"--hint: '{hint.Text}' names a bit field, which is a number.");
        if (hint.Refuses(type.Size) is { } wanted)
            throw new UsageException($"--hint: '{hint.Text}' needs a field of {wanted}, but this field has {type.Size}.");
        return new FieldType(hint.Kind, type.Size) { Name = type.Name, At = type.At };
    }

    // Bytes between the fields are shown in hex: nothing is hidden.
    private static FieldType Made(int size, string side, List<FieldHint> hints)
    {
        var fields = new List<FieldType>();
        var end = 0;
        foreach (var hint in hints.OrderBy(h => h.At))
        {
            var (at, bytes) = (hint.At!.Value, hint.MadeSize ?? throw new UsageException($"--hint: '{hint.Text}' lacks its size: write {hint.Side}.{hint.Path}@{hint.At}:SIZE={FieldHint.WordOf(hint.Kind)}."));
            if (hint.Path.Length == 0 || hint.Path.AsSpan().ContainsAny(".[],"))
                throw new UsageException($"--hint: '{hint.Text}' needs a plain name for its field, as in {hint.Side}.peer@{at}:{bytes}={FieldHint.WordOf(hint.Kind)}.");
            if (hint.Refuses(bytes) is { } wanted)
                throw new UsageException($"--hint: '{hint.Text}' needs {wanted}, not {bytes}.");
            if (bytes == 0 || at + bytes > size)
                throw new UsageException($"--hint: '{hint.Text}' is beyond the {side}, which has {size} bytes.");
            if (at < end)
                throw new UsageException($"--hint: '{hint.Text}' begins within the field before it, which ends at byte {end}.");
            if (fields.Any(f => f.Name == hint.Path))
                throw new UsageException($"--hint: '{hint.Path}' is given twice.");
            Gap(at);
            fields.Add(new FieldType(hint.Kind, bytes) { Name = hint.Path, At = at });
            end = at + bytes;
        }
        Gap(size);
        return new FieldType(FieldKind.Struct, size) { Fields = fields };

        void Gap(int to)
        {
            if (to > end)
                fields.Add(new FieldType(FieldKind.Bytes, to - end) { Name = $"_{end}", At = end });
        }
    }
}
