namespace Maplog.Kernel;

/// <summary>What an update does about an entry that is, or is not, there already.</summary>
public enum UpdateMode
{
    /// <summary>Make the entry or change it.</summary>
    Any = 0,

    /// <summary>Make the entry; EEXIST if it is there.</summary>
    NoExist = 1,

    /// <summary>Change the entry; ENOENT if it is not there.</summary>
    Exist = 2,
}
