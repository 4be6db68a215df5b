namespace Maplog.Btf;

/// <summary>A member of a struct or union, or a variable of a data section.</summary>
/// <param name="Name">Empty for an anonymous struct or union within another.</param>
/// <param name="Type">Id of its type.</param>
/// <param name="BitOffset">Bits from the beginning of what it belongs to.</param>
/// <param name="BitSize">Bits of a bit field; 0: a whole value of its type.</param>
public sealed record BtfMember(string Name, uint Type, uint BitOffset, uint BitSize);
