namespace Maplog.Btf;

/// <summary>One type of a BTF.</summary>
/// <param name="Kind">What kind of type.</param>
/// <param name="Name">Its name in C, perhaps empty.</param>
/// <param name="Size">Bytes of a value: integers, floats, enums, structs, unions, data sections; else 0.</param>
/// <param name="Of">Id of the type it points to, wraps or is an array of; else 0.</param>
/// <param name="Count">Elements of an array; else 0.</param>
/// <param name="IsSigned">An integer or enum with a sign.</param>
/// <param name="Encoding">Of an integer.</param>
/// <param name="Members">Of a struct, union or data section.</param>
/// <param name="Values">An enum's values and their names; the first name of a value counts. Of an <see cref="BtfKind.Enum"/> the 32 bits without sign: before LLVM 16 nothing said whether it has one.</param>
public sealed record BtfType(
    BtfKind Kind, string Name, int Size, uint Of, int Count, bool IsSigned, BtfInteger Encoding,
    IReadOnlyList<BtfMember> Members, IReadOnlyDictionary<long, string> Values)
{
    /// <summary>A name for another type, or a qualifier of it.</summary>
    public bool IsAlias => Kind is BtfKind.Typedef or BtfKind.Volatile or BtfKind.Const or BtfKind.Restrict or BtfKind.TypeTag or BtfKind.DeclarationTag or BtfKind.Variable;
}
